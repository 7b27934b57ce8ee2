/** The validation of arguments. */
import fc from "fast-check";
import { formatFailure } from "../../../provider/failure/failure";
import { parseArguments } from "../../../provider/resource/arguments";
import { UNKNOWN } from "../../../provider/resource/unknown";
import { digestOf, registryId } from "../../support/fixtures";

const DIGEST = digestOf("a");
const ID = registryId("myregistry");
const valid = { registry: "myregistry", source: "docker.io/library/node:22" };
const password = "hunter2";

const from = (source: unknown) => ({ ...valid, source });
const by = (credentials: unknown) => from({ image: "docker.io/library/node:22", credentials });

const problemsOf = (args: Record<string, unknown>, timeouts?: unknown) => {
  const parsed = parseArguments(args, timeouts);
  return "problems" in parsed ? parsed.problems : [];
};

const messagesOf = (args: Record<string, unknown>, timeouts?: unknown) =>
  problemsOf(args, timeouts).map((problem) => {
    expect(problem.code).toBe("INVALID_ARGUMENT");
    return formatFailure(problem).replace(" [INVALID_ARGUMENT]", "");
  });

const missingRegistry = "registry: is required: the resource ID, login server or name of the registry";
const missingSource = "source: is required: a reference such as docker.io/library/node:22";
const allArguments =
  "registry, source, targetTags, untaggedTargetRepositories, platform, referrers, onConflict, onDelete, onSourceUnavailable, onSourceMove, cooldown, verify, lock, triggers";
const noRegistryName = "must be a registry name of 5 to 50 letters and digits";
const noDuration = 'must be a positive duration such as "30m" or "1h30m"';
const noCooldown = 'must be a duration of an hour or more, such as "3d" or "12h", or "0"';
const noCredentials = "source.credentials: must be an object with password and, optionally, username";

describe("wrong arguments", () => {
  test.each<[string, Record<string, unknown>, ...string[]]>([
    ["none at all", {}, missingRegistry, missingSource],
    ["no registry", { source: valid.source }, missingRegistry],
    ["a registry that is null", { ...valid, registry: null }, missingRegistry],
    [
      "an empty registry",
      { ...valid, registry: "" },
      "registry: must not be empty: use the resource ID, login server or name of the registry",
    ],
    ["a registry that is no text", { ...valid, registry: 42 }, "registry: must be a string"],
    ["the registry resource itself", { ...valid, registry: { id: ID } }, "registry: must be a string"],
    [
      "a URL as registry",
      { ...valid, registry: "https://myregistry.azurecr.io" },
      "registry: must not start with https://",
    ],
    [
      "a registry with a repository",
      { ...valid, registry: "myregistry.azurecr.io/app" },
      "registry: must not contain a repository",
    ],
    [
      "somebody else's registry",
      { ...valid, registry: "ghcr.io" },
      "registry: must be the login server of an Azure Container Registry, such as myregistry.azurecr.io",
    ],
    ["a registry name that is too short", { ...valid, registry: "reg" }, `registry: ${noRegistryName}`],
    ["a registry name with a hyphen", { ...valid, registry: "my-registry" }, `registry: ${noRegistryName}`],
    ["a registry with white space", { ...valid, registry: "my registry" }, "registry: must not contain white space"],
    [
      "the ID of something else",
      { ...valid, registry: "/subscriptions/s/resourceGroups/g" },
      "registry: must be the resource ID of a container registry: /subscriptions/…/resourceGroups/…/providers/Microsoft.ContainerRegistry/registries/…",
    ],
    [
      "a resource ID without its slash",
      { ...valid, registry: ID.slice(1) },
      "registry: must start with a slash to be a resource ID: /subscriptions/…",
    ],

    ["no source", { registry: "myregistry" }, missingSource],
    ["an empty source", from(""), "source: must not be empty"],
    ["a source that is no text", from(7), "source: must be a reference, or an object with image"],
    ["a list of sources", from(["node:22"]), "source: must be a reference, or an object with image"],
    ["a URL as source", from("https://docker.io/library/node:22"), "source: must not start with https://"],
    [
      "a web page as source",
      from("hub.docker.com/library/node:22"),
      "source: must name the registry docker.io, not the web site hub.docker.com",
    ],
    ["capital letters", from("ghcr.io/Owner/app:1"), "source: must have a repository in lower case: owner/app"],
    ["two tags", from("node:22:1"), "source: must have only one tag"],
    ["a colon and no tag", from("node:"), "source: must have a tag after the colon"],
    ["a host and nothing else", from("ghcr.io/"), "source: must have a repository"],
    ["white space", from("node 22"), "source: must not contain white space"],
    ["a short digest", from("node@sha256:abc"), "source: must have a sha256 digest with 64 hexadecimal digits, not 3"],
    [
      "a tag after @",
      from("node@22"),
      "source: must have a digest after the @: repository@sha256:…\n  Hint: Write a tag after a colon: repository:tag",
    ],
    [
      "a source registry outside Azure", // https://github.com/Azure/terraform-provider-azapi/issues/1066
      from({ image: "node:22", registry: "dhi.io" }),
      "source.registry: must be an Azure Container Registry\n  Hint: Put the host of any other registry into source.image: registry.example.com/app:1",
    ],
    [
      "a line break behind the password", // https://github.com/docker/cli/issues/1569
      by({ username: "u", password: `${password}\n` }),
      "source.credentials.password: must not begin or end with white space\n  Hint: Trim the value: a file often ends with a line break",
    ],
    [
      "a byte order mark before the password",
      by({ username: "u", password: `\ufeff${password}` }),
      "source.credentials.password: must not begin or end with white space\n  Hint: Trim the value: a file often ends with a line break",
    ],
    [
      "a space behind the user name",
      by({ username: "u ", password }),
      "source.credentials.username: must not begin or end with white space\n  Hint: Trim the value: a file often ends with a line break",
    ],
    [
      "a line break within the password",
      by({ username: "u", password: `${password}\n${password}` }),
      "source.credentials.password: must not contain a line break",
    ],
    [
      "the plus sign of a chart version", // https://github.com/helm/helm/issues/10250
      from("oci://ghcr.io/owner/chart:1.2.3+4"),
      "source: must have a tag without a plus sign\n  Hint: Write _ for the + of a chart version, as Helm does: 1.2.3_4 for 1.2.3+4",
    ],
    [
      "credentials in the reference",
      from(`user:${password}@registry.example.com/app:1`),
      "source: must not contain credentials\n  Hint: Use source.credentials",
    ],
    [
      "an image ID",
      from("a".repeat(64)),
      "source: must be a reference, not an image ID; write a digest as repository@sha256:…",
    ],
    [
      "an output in a template string",
      from("Calling [toString] on an [Output<T>] is not supported."),
      "source: must not be an Output in a template string: use pulumi.interpolate`…` instead",
    ],
    [
      "a digest and no name for the target",
      from(`node@${DIGEST}`),
      "source: has a digest but no tag; set targetTags or untaggedTargetRepositories",
    ],
    ["an object without image", from({}), "source.image: is required: the reference of the image to import"],
    ["an image that is no text", from({ image: 22 }), "source.image: must be a string"],
    ["an empty image", from({ image: "" }), "source.image: must not be empty"],
    [
      "a misspelt member of source",
      from({ image: "app:1", registy: "myregistry" }),
      "source.registy: is not a known argument; expected one of image, registry, credentials, digestFrom",
    ],
    [
      "a source registry twice",
      from({ image: "other.azurecr.io/app:1", registry: "other" }),
      "source.image: must not start with a host: the registry is given separately",
    ],
    ["a wrong source registry", from({ image: "app:1", registry: "x" }), `source.registry: ${noRegistryName}`],
    [
      "an empty source registry",
      from({ image: "app:1", registry: "" }),
      "source.registry: must not be empty: use the resource ID, login server or name of the registry",
    ],
    [
      "an unknown origin of the digest",
      from({ image: "app:1", digestFrom: "registry" }),
      'source.digestFrom: must be one of "source", "target"',
    ],
    [
      "a digest from the target, and no tag to read it from",
      { ...from({ image: "app:1", digestFrom: "target" }), untaggedTargetRepositories: ["app"] },
      'source.digestFrom: must not be "target" without targetTags: the digest is read from one of them',
    ],
    ["credentials that are a text", by(password), noCredentials],
    ["credentials that are a list", by(["user", password]), noCredentials],
    ["credentials without anything", by({}), "source.credentials.password: is required"],
    ["a user name alone", by({ username: "user" }), "source.credentials.password: is required when username is set"],
    [
      "an empty password",
      by({ username: "user", password: "" }),
      "source.credentials.password: is required when username is set",
    ],
    ["a password that is no text", by({ password: 5 }), "source.credentials.password: must be a string"],
    [
      "an empty user name",
      by({ username: "", password }),
      "source.credentials.username: must not be empty; leave it out to use a token alone",
    ],
    ["a user name that is no text", by({ username: 5, password }), "source.credentials.username: must be a string"],
    [
      "a misspelt member of credentials",
      by({ password, passwort: password }),
      "source.credentials.passwort: is not a known argument; expected one of username, password",
    ],

    ["one tag as a text", { ...valid, targetTags: "node:22" }, "targetTags: must be a list of strings"],
    ["an empty list of tags", { ...valid, targetTags: [] }, "targetTags: must contain at least one target"],
    [
      "an empty list of repositories",
      { ...valid, untaggedTargetRepositories: [] },
      "untaggedTargetRepositories: must contain at least one target",
    ],
    ["a target without tag", { ...valid, targetTags: ["node"] }, "targetTags[0]: must have a tag: node:…"],
    [
      "the same target twice",
      { ...valid, targetTags: ["node:22", "node:23", "node:22"] },
      "targetTags[2]: must not be listed twice",
    ],
    ["a target that is null", { ...valid, targetTags: [null] }, "targetTags[0]: must be a string"],
    [
      "a target with a host",
      { ...valid, targetTags: ["myregistry.azurecr.io/node:22"] },
      "targetTags[0]: must not start with a host: the target registry is set by `registry`",
    ],
    [
      "a target with a digest",
      { ...valid, targetTags: [`node@${DIGEST}`] },
      "targetTags[0]: must not contain a digest: it comes from the source",
    ],
    [
      "a tag that cannot be",
      { ...valid, targetTags: ["node:-1"] },
      'targetTags[0]: must have a tag that does not start with "-"',
    ],
    [
      "a tag that is too long",
      { ...valid, targetTags: [`node:${"x".repeat(129)}`] },
      "targetTags[0]: must have a tag of at most 128 characters, not 129",
    ],
    [
      "a repository with a tag",
      { ...valid, untaggedTargetRepositories: ["node:22"] },
      "untaggedTargetRepositories[0]: must be a repository without a tag",
    ],

    [
      "an architecture alone",
      { ...valid, platform: "arm64" },
      "platform: must be an operating system and an architecture in lower case, such as linux/amd64 or linux/arm/v7",
    ],
    [
      "several platforms",
      { ...valid, platform: "linux/amd64,linux/arm64" },
      "platform: must be one platform\n  Hint: Import each platform by its own resource",
    ],
    ["a platform that is no text", { ...valid, platform: ["linux/amd64"] }, "platform: must be a string"],
    [
      "a platform of a source that is not read",
      { ...from({ image: "app:1", digestFrom: "target" }), platform: "linux/amd64" },
      'platform: must not be set with source.digestFrom "target", which does not read the source',
    ],

    [
      "referrers that are no choice",
      { ...valid, referrers: "signatures" },
      "referrers: must be true, false, or an object with artifactTypes and tags",
    ],
    [
      "types that are no list",
      { ...valid, referrers: { artifactTypes: "application/spdx+json" } },
      "referrers.artifactTypes: must be a list of strings",
    ],
    [
      "a pattern that is no beginning",
      { ...valid, referrers: { artifactTypes: ["*spdx*"] } },
      "referrers.artifactTypes[0]: must be a media type, or its beginning followed by *",
    ],
    [
      "an unknown part of referrers",
      { ...valid, referrers: { types: [] } },
      "referrers.types: is not a known argument; expected one of artifactTypes, tags",
    ],
    ["tags that are a list", { ...valid, referrers: { tags: ["sig"] } }, "referrers.tags: must be true or false"],
    [
      "referrers of a source that is not read",
      { ...from({ image: "app:1", digestFrom: "target" }), referrers: true },
      'referrers: must not be set with source.digestFrom "target", which does not read the source',
    ],
    ["a word of the Azure CLI", { ...valid, onConflict: "force" }, 'onConflict: must be one of "fail", "overwrite"'],
    [
      "a lock that is no lock",
      { ...valid, lock: "yes" },
      "lock: must be true, false, or an object with write and delete",
    ],
    ["a list as lock", { ...valid, lock: [] }, "lock: must be true, false, or an object with write and delete"],
    ["a part of a lock that is no boolean", { ...valid, lock: { write: "yes" } }, "lock.write: must be true or false"],
    [
      "an unknown part of a lock",
      { ...valid, lock: { read: true } },
      "lock.read: is not a known argument; expected one of write, delete",
    ],
    ["a policy that is no text", { ...valid, onDelete: true }, 'onDelete: must be one of "retain", "untag", "delete"'],
    [
      "an unknown policy",
      { ...valid, onSourceUnavailable: "ignore" },
      'onSourceUnavailable: must be one of "fail", "keep"',
    ],
    [
      "an unknown policy on moves",
      { ...valid, onSourceMove: "warn" },
      'onSourceMove: must be one of "import", "fail", "keep"',
    ],
    [
      "a policy on moves of a source that is not read",
      { ...from({ image: "app:1", digestFrom: "target" }), onSourceMove: "fail" },
      'onSourceMove: must not be set with source.digestFrom "target", which does not read the source',
    ],
    ["a cooldown that is no duration", { ...valid, cooldown: "3 days" }, `cooldown: ${noCooldown}`],
    ["a cooldown below an hour", { ...valid, cooldown: "30m" }, `cooldown: ${noCooldown}`],
    ["a cooldown that is no text", { ...valid, cooldown: 3 }, `cooldown: ${noCooldown}`],
    [
      "a cooldown of a source that is not read",
      { ...from({ image: "app:1", digestFrom: "target" }), cooldown: "3d" },
      'cooldown: must not be set with source.digestFrom "target", which does not read the source',
    ],
    ["a trigger that is no list", { ...valid, triggers: "monday" }, "triggers: must be a list"],
    [
      "a misspelt argument",
      { ...valid, targetTag: ["node:22"] },
      `targetTag: is not a known argument; expected one of ${allArguments}`,
    ],
    [
      "Pulumi's option as an argument",
      { ...valid, timeouts: { create: "5m" } },
      `timeouts: is not a known argument; expected one of ${allArguments}`,
    ],
    [
      "several mistakes at once, in the order of the arguments",
      { registry: "x", source: "Node", targetTags: ["a"], onDelete: "all" },
      `registry: ${noRegistryName}`,
      "source: must have a repository in lower case: library/node",
      "targetTags[0]: must have a tag: a:…",
      'onDelete: must be one of "retain", "untag", "delete"',
    ],
  ])("%s", (_, args, ...messages) => {
    expect(messagesOf(args)).toEqual(messages);
  });

  test.each<[unknown, string]>([
    ["10", "create"],
    ["-1s", "update"],
    ["0s", "delete"],
    [5, "create"],
    ["half an hour", "update"],
    ["", "delete"],
  ])("customTimeouts: %p for %s", (text, operation) => {
    expect(messagesOf(valid, { [operation]: text })).toEqual([`opts.customTimeouts.${operation}: ${noDuration}`]);
  });
});

describe("valid arguments", () => {
  test.each<[string, Record<string, unknown>]>([
    ["a name and a reference", valid],
    ["a login server", { ...valid, registry: "myregistry.azurecr.io" }],
    ["a resource ID", { ...valid, registry: ID }],
    ["a registry of another cloud", { ...valid, registry: "myregistry.azurecr.cn" }],
    ["a source by tag and digest", from(`node:22@${DIGEST}`)],
    ["a source by digest with a tag for it", { ...from(`node@${DIGEST}`), targetTags: ["node:22"] }],
    ["a source by digest, without a tag", { ...from(`node@${DIGEST}`), untaggedTargetRepositories: ["node"] }],
    ["the long form", from({ image: "library/node:22" })],
    ["a source registry apart", from({ image: "app:1", registry: ID })],
    ["user and password", by({ username: "user", password })],
    ["a token alone", by({ password })],
    ["credentials left out by a condition", by(undefined)],
    ["null where nothing is meant", { ...valid, targetTags: null, onDelete: null, triggers: null }],
    ["tags and repositories", { ...valid, targetTags: ["a:1", "b/c:2"], untaggedTargetRepositories: ["d"] }],
    ["one of both lists empty", { ...valid, targetTags: [], untaggedTargetRepositories: ["d"] }],
    ["the digest of the target", from({ image: "app:1", digestFrom: "target" })],
    [
      "the digest of the target, and the default policy on moves",
      { ...from({ image: "app:1", digestFrom: "target" }), onSourceMove: "import" },
    ],
    ["a cooldown of days", { ...valid, cooldown: "3d" }],
    ["no cooldown", { ...from({ image: "app:1", digestFrom: "target" }), cooldown: "0" }],
    [
      "the digest in the reference",
      {
        ...from({ image: `app@${DIGEST}`, digestFrom: "target" }),
        untaggedTargetRepositories: ["app"],
      },
    ],
    ["referrers", { ...valid, referrers: true }],
    [
      "some referrers",
      { ...valid, referrers: { artifactTypes: ["application/spdx+json", "application/vnd.*", "*"], tags: false } },
    ],
    [
      "no referrers of a source that is not read",
      { ...from({ image: "app:1", digestFrom: "target" }), referrers: false },
    ],
    ["a lock", { ...valid, lock: true }],
    ["a lock in parts", { ...valid, lock: { write: false, delete: UNKNOWN } }],
    [
      "a lock as the state has it after a refresh",
      { ...valid, lock: { write: true, delete: true, unlocked: ["a:1"] } },
    ],
    ["no lock", { ...valid, lock: null }],
    ["every policy", { ...valid, onConflict: "overwrite", onDelete: "delete", onSourceUnavailable: "keep" }],
    ["triggers of any kind", { ...valid, triggers: [1, "two", { three: null }] }],
  ])("%s", (_, args) => {
    expect(messagesOf(args, { create: "1h30m", update: "45s", delete: undefined })).toEqual([]);
  });
});

/** Every way to put the marker in the place of one value, at any depth. */
function withOneUnknown(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [UNKNOWN];
  const emulator = Object.keys(value).flatMap((key) =>
    withOneUnknown(value[key as keyof typeof value]).map((changed) => {
      const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
      copy[key] = changed;
      return copy;
    }),
  );
  return [UNKNOWN, ...emulator];
}

describe("values that are not known yet", () => {
  const full = {
    registry: "myregistry",
    source: { image: "app:1", registry: "other", credentials: { username: "user", password }, digestFrom: "source" },
    targetTags: ["a:1", "b:1"],
    untaggedTargetRepositories: ["c"],
    onConflict: "fail",
    onDelete: "retain",
    onSourceUnavailable: "fail",
    triggers: [1, { two: 2 }],
  };
  const places = withOneUnknown(full).slice(1) as Record<string, unknown>[];

  test("are never judged, wherever they stand", () => {
    expect(places.length).toBeGreaterThan(15);
    for (const args of places) expect({ args, problems: messagesOf(args) }).toEqual({ args, problems: [] });
  });

  test("do not hide what is wrong elsewhere", () => {
    for (const args of places) {
      expect(messagesOf({ ...args, force: true })).toEqual([
        `force: is not a known argument; expected one of ${allArguments}`,
      ]);
    }
  });

  test("several at once", () => {
    expect(messagesOf({ registry: UNKNOWN, source: UNKNOWN, targetTags: [UNKNOWN, UNKNOWN] })).toEqual([]);
  });
});

describe("no message repeats a secret", () => {
  const secret = "s3cr3tS3cr3t";

  test.each([
    `user:${secret}@ghcr.io/app:1`,
    `user:${secret}@host/x`,
    `https://user:${secret}@ghcr.io/app:1`,
    `user:${secret}@ghcr.io/app@${DIGEST}`,
    `ghcr.io/user:${secret}@app`,
    `${secret}@ghcr.io/app:1`,
  ])("%s", (text) => {
    for (const args of [
      from(text),
      from({ image: text }),
      from({ image: text, registry: "myregistry" }),
      { ...valid, registry: text },
      { ...valid, targetTags: [text] },
      { ...valid, untaggedTargetRepositories: [text] },
    ]) {
      const messages = messagesOf(args);
      expect(messages).not.toEqual([]);
      expect(messages.join("\n").toLowerCase()).not.toContain(secret.toLowerCase());
    }
  });

  test("whatever shape the credentials have", () => {
    const leaf = fc.constantFrom<unknown>(secret, `user:${secret}`, [secret], { password: secret }, { token: secret });
    const credentials = fc.oneof(
      leaf,
      fc.record({ username: leaf, password: leaf }),
      fc.record({ password: fc.constant(secret), token: leaf }),
      fc.array(leaf),
    );
    fc.assert(
      fc.property(credentials, (value) => {
        const messages = messagesOf(by(value));
        expect(messages.join("\n")).not.toContain(secret);
      }),
    );
  });
});

test("no value whatever makes the validation itself fail", () => {
  const anything = fc.anything({ maxDepth: 2 });
  const args = fc.record(
    {
      registry: fc.oneof(fc.string(), anything),
      source: fc.oneof(
        fc.string(),
        anything,
        fc.record({ image: anything, credentials: anything, registry: anything }),
      ),
      targetTags: fc.oneof(fc.array(fc.string()), anything),
      triggers: anything,
    },
    { requiredKeys: [] },
  );
  fc.assert(fc.property(args, anything, (given, timeouts) => Array.isArray(problemsOf(given, timeouts))));
});
