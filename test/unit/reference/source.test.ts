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
describe("parseReference reads what Docker reads", () => {
  test.each([
    ["debian", "docker.io/library/debian:latest"],
    ["library/debian", "docker.io/library/debian:latest"],
    ["docker/docker", "docker.io/docker/docker:latest"],
    ["docker.io/debian", "docker.io/library/debian:latest"],
    ["docker.io/library/debian", "docker.io/library/debian:latest"],
    ["index.docker.io/debian", "docker.io/library/debian:latest"],
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

  test("an unwritten tag is latest and known to be implied", () => {
    expect(parseReference("node")).toMatchObject({ tag: "latest" });
    expect(parseReference("node:latest")).toMatchObject({ tag: "latest" });
    expect(parseReference(`node@${SHA256}`)).toEqual({
      host: "docker.io",
      repository: "library/node",
      digest: SHA256,
    });
  });
});

describe("parseReference gives each near miss its own reason", () => {
  test.each([
    ["", "it is empty"],
    ["  ", "it contains white space"],
    ["node :22", "it contains white space"],
    ["node:22\n", "it contains white space"],
    ["https://ghcr.io/owner/app", "it is a URL; leave out https:// at the beginning"],
    ["https://user:secret@ghcr.io/owner/app", "it is a URL; leave out https:// at the beginning"],
    ["oci://ghcr.io/owner/chart:1", "it is a URL; leave out oci:// at the beginning"],
    ["docker://node", "it is a URL; leave out docker:// at the beginning"],
    ["user:secret@ghcr.io/owner/app", "a digest must follow the @: repository@sha256:…"],
    ["user:secret@ghcr.io:5000/owner/app", "the algorithm of a digest is sha256 or sha512"],
    [registryId("r"), "it is an Azure resource ID, which names a registry and no image"],
    [
      "Calling [toString] on an [Output<T>] is not supported.",
      "an Output was put into a template string; use pulumi.interpolate`…` instead",
    ],
    ["docker/Docker", "a repository is written in lower case: docker/docker"],
    ["Uppercase:tag", "a repository is written in lower case: library/uppercase"],
    ["MyOrg/app", "a repository is written in lower case: myorg/app"],
    ["test:5000/Uppercase/lowercase:tag", "a repository is written in lower case: uppercase/lowercase"],
    ["node/", "a slash at the end: the last part of the repository is missing"],
    ["ghcr.io/", "the name of a repository is missing"],
    ["/node", "a reference cannot begin with a slash"],
    ["docker///docker", "two slashes in a row: a part of the repository is missing"],
    ["docker.io/docker//docker", "two slashes in a row: a part of the repository is missing"],
    ["docker.io//docker", "a repository cannot begin with a slash"],
    [":justtag", "the name of a repository is missing"],
    [`@${SHA256}`, "the name of a repository is missing"],
    [SHA256, "a digest needs a repository before it: repository@sha256:…"],
    [IMAGE_ID, "64 hexadecimal digits are an image ID; write repository@sha256:… to name a digest"],
    ["node:", "nothing follows the colon, a tag is missing"],
    [`node:@${SHA256}`, "nothing follows the colon, a tag is missing"],
    ["node:22:alpine", "it has two tags, one colon too many"],
    ["node:-22", 'a tag cannot begin with "-"'],
    ["node:.22", 'a tag cannot begin with "."'],
    ["node:2+2", "a tag consists of letters, digits, underscores, full stops and hyphens"],
    [`node:${"t".repeat(129)}`, "a tag has at most 128 characters, this one has 129"],
    ["node@22", "a digest must follow the @: repository@sha256:…"],
    [`node@${SHA256}@${SHA256}`, "it has more than one @"],
    ["node@sha256:", "a sha256 digest has 64 hexadecimal digits, this one has 0"],
    [`node@${SHA256}0`, "a sha256 digest has 64 hexadecimal digits, this one has 65"],
    [`node@${SHA256.toUpperCase()}`, "the algorithm of a digest is sha256 or sha512"],
    [`node@${digestOf("F")}`, "the hexadecimal digits of a digest are written in lower case"],
    [`node@${digestOf("g")}`, "a digest consists of hexadecimal digits (0-9, a-f) behind its algorithm"],
    [`node@constructor:${"f".repeat(64)}`, "the algorithm of a digest is sha256 or sha512"],
    [`${"a/".repeat(128)}a:tag`, "a repository has at most 255 characters, this one has 257"],
    ["-docker", /^"-docker" in the repository/],
    ["docker_/docker", /^"docker_" in the repository/],
    ["a___b", /^"a___b" in the repository/],
    ["b..b", /^"b..b" in the repository/],
    ["foo.-foo", /^"foo.-foo" in the repository/],
    ["aa/asdf$$^/aa", /^a repository consists of/],
    ["app:1.0/x", /^the port of a registry is a number/],
    ["localhost:/x", /^the port of a registry is a number/],
    ["localhost:70000/x", /^the port of a registry is a number/],
    ["-docker.io/docker/docker", "what stands before the first slash is not the host name of a registry"],
    ["my_host.example.com/x", "what stands before the first slash is not the host name of a registry"],
    ["./x", "what stands before the first slash is not the host name of a registry"],
    ["../x", "what stands before the first slash is not the host name of a registry"],
    [":5000/x", "the host of the registry is missing"],
    ["[fc00::1]", /^a repository consists of/],
    ["fc00::1:5000/debian", /^the port of a registry is a number/],
    ["[fe80::1%eth0]:5000/debian", "what stands before the first slash is not the host name of a registry"],
    ["[2001:db8:3:4::192.0.2.33]:5000/debian", "what stands before the first slash is not the host name of a registry"],
    ["hub.docker.com/r/owner/app", "hub.docker.com is a web site; the registry behind it is docker.io"],
    ["ghcr.io/öwner/app", "it contains a character that is not ASCII"],
    ["<image>", /^a repository consists of/],
  ])("%j", (text, expected) => {
    const actual = reason(() => parseReference(text));
    if (typeof expected === "string") expect(actual).toBe(expected);
    else expect(actual).toMatch(expected);
  });
});

describe("parseRepositoryReference, for an image whose registry is named apart", () => {
  test.each([
    ["aci-helloworld", { repository: "aci-helloworld", tag: "latest" }],
    ["team/app:1", { repository: "team/app", tag: "1" }],
    [`app:1@${SHA256}`, { repository: "app", tag: "1", digest: SHA256 }],
    // mirrors keep the original host in the repository's path
    ["docker.io/library/node:22", { repository: "docker.io/library/node", tag: "22" }],
  ])("%s", (text, expected) => {
    expect(parseRepositoryReference(text)).toEqual(expected);
  });

  test.each(["r.azurecr.io/app:1", "R.AzureCR.us/app", "localhost:5000/app", "localhost/app", "host:443/app"])(
    "%s begins with a host",
    (text) => {
      expect(reason(() => parseRepositoryReference(text))).toMatch(/^it begins with a host/);
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
        // a first component that happens to look like a host, such as "a.b", may be an odd one: only that is excused
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
