/** The grammar of source references, against the rules of Docker. */
import fc from "fast-check";
import { reasonOf } from "../../../provider/reference/invalid-reference";
import { parseReference, parseRepositoryReference, printReference } from "../../../provider/reference/source";
import { digestOf, registryId } from "../../support/fixtures";

const SHA256 = digestOf("f");
const SHA512 = `sha512:${"f".repeat(128)}`;
const IMAGE_ID = "1a3f5e7d9c1b3a5f7e9d1c3b5d7f9e1a3c5b7d9e1f3a5b7d9c1b3a5f7e9d1c3b";

const reason = (parse: () => unknown): string | undefined => {
  try {
    parse();
    return undefined;
  } catch (error) {
    return reasonOf(error) ?? `not a reason: ${error}`;
  }
};

// What Docker makes of a reference. The inputs are those that the tests of github.com/distribution/reference judge too.
describe("parseReference accepts what Docker accepts", () => {
  test.each([
    ["debian", "docker.io/library/debian:latest"],
    ["library/debian", "docker.io/library/debian:latest"],
    ["docker/docker", "docker.io/docker/docker:latest"],
    ["docker.io/debian", "docker.io/library/debian:latest"],
    ["docker.io/library/debian", "docker.io/library/debian:latest"],
    ["index.docker.io/debian", "docker.io/library/debian:latest"],
    // the default port: https://github.com/Azure/acr/issues/287
    ["docker.io:443/library/hello-world:latest", "docker.io/library/hello-world:latest"],
    ["registry-1.docker.io:443/node", "docker.io/library/node:latest"],
    ["myregistry.azurecr.io:443/app:1", "myregistry.azurecr.io/app:1"],
    [
      "GITLAB.example.com:443/group/dependency_proxy/containers/alpine:3",
      "gitlab.example.com/group/dependency_proxy/containers/alpine:3",
    ],
    ["[::1]:443/app:1", "[::1]/app:1"],
    ["localhost:443/app:1", "localhost/app:1"],
    ["example.com:00443/app:1", "example.com/app:1"],
    // what Helm and skopeo write: https://helm.sh/docs/topics/registries/
    ["oci://ghcr.io/owner/chart:1", "ghcr.io/owner/chart:1"],
    ["docker://node:22", "docker.io/library/node:22"],
    ["DOCKER://docker.io/library/node", "docker.io/library/node:latest"],
    ["index.docker.io/docker/docker", "docker.io/docker/docker:latest"],
    ["registry-1.docker.io/library/node:22", "docker.io/library/node:22"],
    ["registry.hub.docker.com/library/node:22", "docker.io/library/node:22"],
    ["127.0.0.1:5000/docker/docker", "127.0.0.1:5000/docker/docker:latest"],
    ["127.0.0.1:5000/debian", "127.0.0.1:5000/debian:latest"],
    ["192.168.0.1", "docker.io/library/192.168.0.1:latest"],
    ["192.168.0.1:80", "docker.io/library/192.168.0.1:80"],
    ["192.168.0.2:25000/debian", "192.168.0.2:25000/debian:latest"],
    ["192.168.1.1:tag", "docker.io/library/192.168.1.1:tag"],
    ["192.168.1.1/repo", "192.168.1.1/repo:latest"],
    ["192.168.1.1:5000/repo:5050", "192.168.1.1:5000/repo:5050"],
    ["[fc00::1]:5000/docker/docker", "[fc00::1]:5000/docker/docker:latest"],
    ["[2001:db8:1:2:3:4:5:6]/repo:tag", "[2001:db8:1:2:3:4:5:6]/repo:tag"],
    ["[2001:db8::]:5000/repo", "[2001:db8::]:5000/repo:latest"],
    [`[2001:DB8::1]:5000/repo:tag@${SHA256}`, `[2001:db8::1]:5000/repo:tag@${SHA256}`],
    ["[::1]:5000/repo", "[::1]:5000/repo:latest"],
    ["test_com", "docker.io/library/test_com:latest"],
    ["test.com:tag", "docker.io/library/test.com:tag"],
    ["test.com:5000", "docker.io/library/test.com:5000"],
    ["test.com/repo:tag", "test.com/repo:tag"],
    ["test:5000/repo", "test:5000/repo:latest"],
    [`test:5000/repo@${SHA256}`, `test:5000/repo@${SHA256}`],
    [`test:5000/repo:tag@${SHA256}`, `test:5000/repo:tag@${SHA256}`],
    ["lowercase:Uppercase", "docker.io/library/lowercase:Uppercase"],
    ["sub-dom1.foo.com/bar/baz/quux:some-long-tag", "sub-dom1.foo.com/bar/baz/quux:some-long-tag"],
    ["b.gcr.io/test.example.com/my-app:test.example.com", "b.gcr.io/test.example.com/my-app:test.example.com"],
    [`xn--7o8h.com/myimage:xn--7o8h.com@${SHA512}`, `xn--7o8h.com/myimage:xn--7o8h.com@${SHA512}`],
    ["foo_bar.com:8080", "docker.io/library/foo_bar.com:8080"],
    ["foo/foo_bar.com:8080", "docker.io/foo/foo_bar.com:8080"],
    ["foo__foo/bar__bar", "docker.io/foo__foo/bar__bar:latest"],
    ["foo--foo/bar---bar", "docker.io/foo--foo/bar---bar:latest"],
    [`${"a/".repeat(127)}a:tag`, `docker.io/${"a/".repeat(127)}a:tag`],
    [`docker.io/${IMAGE_ID}`, `docker.io/library/${IMAGE_ID}:latest`],
    ["localhost/app", "localhost/app:latest"],
    ["localhost:5000", "docker.io/library/localhost:5000"],
    ["LocalHost:5000/app", "localhost:5000/app:latest"],
    ["GHCR.io/owner/app:V1", "ghcr.io/owner/app:V1"],
    ["sha256", "docker.io/library/sha256:latest"],
    [`app:${"t".repeat(128)}`, `docker.io/library/app:${"t".repeat(128)}`],
  ])("%s", (text, canonical) => {
    expect(printReference(parseReference(text))).toBe(canonical);
  });

  test("a missing tag is latest", () => {
    expect(parseReference("node")).toMatchObject({ tag: "latest" });
    expect(parseReference("node:latest")).toMatchObject({ tag: "latest" });
    expect(parseReference(`node@${SHA256}`)).toEqual({
      host: "docker.io",
      repository: "library/node",
      digest: SHA256,
    });
  });
});

describe("parseReference gives each invalid reference its own reason", () => {
  test.each([
    ["", "must not be empty"],
    ["  ", "must not begin or end with white space"],
    ["node :22", "must not contain white space"],
    ["node:22\n", "must not begin or end with white space"],
    ["https://ghcr.io/owner/app", "must not start with https://"],
    ["https://user:secret@ghcr.io/owner/app", "must not start with https://"],
    ["oci:ghcr.io/owner/chart:1", "must have a registry port from 1 to 65535; a tag comes after the last slash"],
    ['"node:22"', "must not be quoted"],
    ["`node:22`", "must not be quoted"],
    ["docker://https://ghcr.io/owner/app", "must not start with https://"],
    ["user:secret@ghcr.io/owner/app", "must not contain credentials"],
    ["user:secret@ghcr.io:5000/owner/app", "must not contain credentials"],
    ["me@example.com:secret@ghcr.io/owner/app:1", "must not contain credentials"],
    [`user:secret@ghcr.io/owner/app@${SHA256}`, "must not contain credentials"],
    [registryId("r"), "must be an image, not the resource ID of a registry"],
    [
      "Calling [toString] on an [Output<T>] is not supported.",
      "must not be an Output in a template string: use pulumi.interpolate`…` instead",
    ],
    ["docker/Docker", "must have a repository in lower case: docker/docker"],
    ["Uppercase:tag", "must have a repository in lower case: library/uppercase"],
    ["MyOrg/app", "must have a repository in lower case: myorg/app"],
    ["test:5000/Uppercase/lowercase:tag", "must have a repository in lower case: uppercase/lowercase"],
    ["node/", "must have a repository that does not end with a slash"],
    ["ghcr.io/", "must have a repository"],
    ["/node", "must not start with a slash"],
    ["docker///docker", "must not have two slashes in a row in its repository"],
    ["docker.io/docker//docker", "must not have two slashes in a row in its repository"],
    ["docker.io//docker", "must have a repository that does not start with a slash"],
    [":justtag", "must have a repository"],
    [`@${SHA256}`, "must have a repository"],
    [SHA256, "must have a repository before the digest: repository@sha256:…"],
    [IMAGE_ID, "must be a reference, not an image ID; write a digest as repository@sha256:…"],
    ["node:", "must have a tag after the colon"],
    [`node:@${SHA256}`, "must have a tag after the colon"],
    ["node:22:alpine", "must have only one tag"],
    ["node:-22", 'must have a tag that does not start with "-"'],
    ["node:.22", 'must have a tag that does not start with "."'],
    ["node:2+2", "must have a tag without a plus sign"],
    [`node:${"t".repeat(129)}`, "must have a tag of at most 128 characters, not 129"],
    ["node@22", "must have a digest after the @: repository@sha256:…"],
    [`node@${SHA256}@${SHA256}`, "must contain only one @"],
    ["node@sha256:", "must have a sha256 digest with 64 hexadecimal digits, not 0"],
    [`node@${SHA256}0`, "must have a sha256 digest with 64 hexadecimal digits, not 65"],
    [`node@${SHA256.toUpperCase()}`, "must have a digest with the algorithm sha256 or sha512"],
    [`node@${digestOf("F")}`, "must have a digest in lower case"],
    [`node@${digestOf("g")}`, "must have a digest with hexadecimal digits (0-9, a-f) after its algorithm"],
    [`node@constructor:${"f".repeat(64)}`, "must have a digest with the algorithm sha256 or sha512"],
    [`${"a/".repeat(128)}a:tag`, "must have a repository of at most 255 characters, not 257"],
    ["-docker", /^must have single separators .* in "-docker"$/],
    ["docker_/docker", /^must have single separators .* in "docker_"$/],
    ["a___b", /^must have single separators .* in "a___b"$/],
    ["b..b", /^must have single separators .* in "b..b"$/],
    ["foo.-foo", /^must have single separators .* in "foo.-foo"$/],
    ["aa/asdf$$^/aa", /^must have a repository of lower-case letters/],
    ["app:1.0/x", /^must have a registry port from 1 to 65535/],
    ["localhost:/x", /^must have a registry port from 1 to 65535/],
    ["localhost:70000/x", /^must have a registry port from 1 to 65535/],
    ["-docker.io/docker/docker", "must have a valid registry host before the first slash"],
    ["my_host.example.com/x", "must have a valid registry host before the first slash"],
    ["./x", "must have a valid registry host before the first slash"],
    ["../x", "must have a valid registry host before the first slash"],
    [":5000/x", "must have a registry host before the first slash"],
    ["[fc00::1]", /^must have a repository of lower-case letters/],
    ["fc00::1:5000/debian", /^must have a registry port from 1 to 65535/],
    ["[fe80::1%eth0]:5000/debian", "must have a valid registry host before the first slash"],
    ["[2001:db8:3:4::192.0.2.33]:5000/debian", "must have a valid registry host before the first slash"],
    ["hub.docker.com/r/owner/app", "must name the registry docker.io, not the web site hub.docker.com"],
    ["ghcr.io/öwner/app", "must contain only ASCII characters"],
    ["<image>", /^must have a repository of lower-case letters/],
  ])("%j", (text, expected) => {
    const actual = reason(() => parseReference(text));
    if (typeof expected === "string") expect(actual).toBe(expected);
    else expect(actual).toMatch(expected);
  });
});

describe("parseRepositoryReference, for an image whose registry is given separately", () => {
  test.each([
    ["aci-helloworld", { repository: "aci-helloworld", tag: "latest" }],
    ["team/app:1", { repository: "team/app", tag: "1" }],
    [`app:1@${SHA256}`, { repository: "app", tag: "1", digest: SHA256 }],
    ["oci://team/chart:1.2.3", { repository: "team/chart", tag: "1.2.3" }],
    // mirrors keep the original host in the repository's path
    ["docker.io/library/node:22", { repository: "docker.io/library/node", tag: "22" }],
  ])("%s", (text, expected) => {
    expect(parseRepositoryReference(text)).toEqual(expected);
  });

  test.each(["r.azurecr.io/app:1", "R.AzureCR.us/app", "localhost:5000/app", "localhost/app", "host:443/app"])(
    "%s begins with a host",
    (text) => {
      expect(reason(() => parseRepositoryReference(text))).toMatch(/^must not start with a host/);
    },
  );
});

describe("properties", () => {
  const alphanum = fc.stringMatching(/^[a-z0-9]{1,6}$/);
  const component = fc
    .tuple(alphanum, fc.array(fc.tuple(fc.constantFrom(".", "_", "__", "-", "--"), alphanum), { maxLength: 2 }))
    .map(([head, tail]) => head + tail.flat().join(""));
  const repository = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  const host = fc
    .tuple(
      fc.constantFrom("docker.io", "ghcr.io", "localhost", "[::1]", "10.0.0.1", "a-b.example.com"),
      fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined }),
    )
    .map(([name, port]) => (port === undefined ? name : `${name}:${port}`));
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/);
  const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`);
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
  const written = fc
    .tuple(optional(host), repository, optional(tag), optional(digest))
    .map(([h, r, t, d]) => `${h ? `${h}/` : ""}${r}${t ? `:${t}` : ""}${d ? `@${d}` : ""}`);

  test("what is printed reads back as the same reference", () => {
    fc.assert(
      fc.property(written, (text) => {
        const printed = reason(() => parseReference(text)) === undefined && printReference(parseReference(text));
        // a first component that looks like a host, such as "a.b", may be an invalid one
        fc.pre(printed !== false);
        expect(printReference(parseReference(printed))).toBe(printed);
        expect({ ...parseReference(printed) }).toEqual({
          ...parseReference(text),
        });
      }),
    );
  });

  test("with a host written, every well-formed reference is accepted", () => {
    fc.assert(
      fc.property(host, repository, tag, digest, (h, r, t, d) => {
        const path = h === "docker.io" && !r.includes("/") ? `library/${r}` : r;
        expect(parseReference(`${h}/${r}:${t}@${d}`)).toEqual({
          host: h,
          repository: path,
          tag: t,
          digest: d,
        });
      }),
    );
  });

  test("any text gives a reference or a reason, never another error", () => {
    const nearMiss = fc
      .tuple(written, fc.nat(), fc.constantFrom("", ":", "/", "@", "A", " ", "é", "..", "//", "[", "\u0000", "sha256:"))
      .map(([text, at, piece]) => text.slice(0, at % (text.length + 1)) + piece + text.slice(at % (text.length + 1)));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), nearMiss), (text) => {
        const why = reason(() => parseReference(text));
        expect(why ?? "").not.toMatch(/^not a reason/);
        if (why === undefined) expect(printReference(parseReference(text))).toMatch(/^[!-~]+$/);
      }),
      { numRuns: 1000 },
    );
  });
});
