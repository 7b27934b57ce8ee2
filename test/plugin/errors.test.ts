/** What errors, logs and progress rows contain, and which secrets they must not contain. */
import { useEmulator } from "../support/emulator";
import { type LogMessage, PluginError } from "../support/plugin";
import { until } from "../support/until";
import { freshStack, loginServer, publish, Stack, targetDigest, urnOf } from "./stack";

const emulator = useEmulator();
let stack: Stack;
let repository: string;

beforeEach(() => {
  ({ stack, repository } = freshStack(emulator));
});
afterEach(async () => {
  await emulator.control.faults();
  emulator.server.state.settings.importDurationMs = 0;
});

const image = (changes: object = {}) => ({
  source: `docker.io/${repository}:1`,
  targetTags: [`${repository}:1`],
  ...changes,
});
const secret = "s3cr3t-password";
const credentials = { username: "emulator", password: secret };
const start = { method: "POST", path: "/importImage" };

test("check reports all invalid arguments at once, without a property and without a request", async () => {
  const plugin = await stack.plugin();
  await emulator.control.clearRequests();
  const { failures, inputs } = await plugin.check(
    stack.inputs("image", {
      registry: "x",
      source: { image: "Node", credentials: { username: "", password: secret } },
      onDelete: "all",
      customTimeouts: { create: "soon" },
    }),
  );
  expect(failures.map(({ property }) => property)).toEqual(["", "", "", "", ""]);
  expect(failures.map(({ reason }) => reason.split(":", 1)[0])).toEqual([
    "registry",
    "source.image",
    "source.credentials.username",
    "onDelete",
    "opts.customTimeouts.create",
  ]);
  expect(JSON.stringify(failures)).not.toContain(secret);
  expect(inputs).not.toHaveProperty("__program");
  expect(await emulator.control.requests()).toEqual([]);
});

test("a failed digest look-up of the program is one check failure", async () => {
  const { errors } = await stack.up({ image: image({ source: "docker.io/library/nothing:1" }) });
  expect(errors.image).toBe("source: docker.io/library/nothing:1 was not found [SOURCE_NOT_FOUND]");
});

test("a registry that does not exist fails an up, and gives unknown outputs in a preview", async () => {
  const plugin = await stack.plugin();
  const news = stack.inputs("image", image({ registry: "nowhere" }));
  const { failures } = await plugin.check(news);
  expect(failures).toEqual([{ property: "", reason: expect.stringContaining("[REGISTRY_NOT_FOUND]") }]);

  const program = { ...(news.__program as object), preview: true };
  const preview = await plugin.check({ ...news, __program: program });
  expect(preview.failures).toEqual([]);
  const marker = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  expect(preview.inputs).toMatchObject({ registryId: marker, loginServer: marker, reference: marker });
  expect(preview.inputs.sourceDigest).toMatch(/^sha256:/);
  const isWarning = ({ severity }: LogMessage) => severity === "warning";
  await until(() => plugin.logs.some(isWarning));
  expect(plugin.logs.filter(isWarning)).toEqual([
    { severity: "warning", ephemeral: false, urn: urnOf("image"), message: expect.stringContaining("nowhere") },
  ]);
});

test.each<[string, object]>([
  ["change", { writeEnabled: false }],
  ["change and deletion", { writeEnabled: false, deleteEnabled: false }],
])("a tag that is locked against %s fails the import with the command that unlocks it", async (_, lock) => {
  await stack.up({ image: image() });
  const reference = `${loginServer}/${repository}:1`;
  emulator.server.images.setAttributes(reference, lock);
  const second = publish(emulator, `${repository}:1`);
  const { errors } = await stack.up({ image: image() });
  expect(errors.image).toContain(`target: ${reference} is locked against changes [TARGET_LOCKED]\n`);
  expect(errors.image).toContain(`--name myregistry --image ${repository}:1 --write-enabled true`);
  emulator.server.images.setAttributes(reference, { writeEnabled: true });
  expect((await stack.up({ image: image() })).errors).toEqual({});
  expect(targetDigest(emulator, `${repository}:1`)).toBe(second);
});

test("a tag that is only locked against deletion can be moved", async () => {
  await stack.up({ image: image() });
  emulator.server.images.setAttributes(`${loginServer}/${repository}:1`, { deleteEnabled: false });
  const second = publish(emulator, `${repository}:1`);
  expect((await stack.up({ image: image() })).errors).toEqual({});
  expect(targetDigest(emulator, `${repository}:1`)).toBe(second);
});

describe("a secret", () => {
  test.each<[string, object]>([
    ["an import error that repeats it", { import: { failWith: `cannot log in with ${secret}` } }],
    [
      "a rejected request that repeats it",
      { status: 400, body: { error: { code: "Bad", message: `${secret} is wrong` } } },
    ],
    ["a response that is not JSON", { status: 403, body: `<html>${secret}</html>` }],
    ["a server error that repeats it", { status: 500, times: 4, body: { error: { code: "Oops", message: secret } } }],
  ])("is redacted from errors, logs and output of the process: %s", async (_, fault) => {
    await emulator.control.faults({ ...start, ...fault });
    const source = { image: `docker.io/${repository}:1`, credentials };
    const { errors } = await stack.up({ image: image({ source }) });
    const plugin = await stack.plugin();
    expect(errors.image).toMatch(/ \[[A-Z_]+\]\n {2}Hint: /);
    for (const text of [errors.image, plugin.output, JSON.stringify(plugin.logs)]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(String(emulator.env.ARM_CLIENT_SECRET));
    }
  });

  test("of the identity is not in the error that rejects it", async () => {
    const password = "wr0ng~s3cr3t";
    const other = new Stack(emulator, { env: { ARM_CLIENT_SECRET: password } });
    const { errors } = await other.up({ image: image() });
    expect(errors.image).toContain("[AZURE_CREDENTIAL_REJECTED]");
    expect(errors.image + (await other.plugin()).output).not.toContain(password);
    await other.stopPlugin();
  });
});

test("an error of read or delete is printed once and without a stack", async () => {
  await stack.up({ image: image({ onDelete: "untag" }) });
  const { id, outputs } = stack.resource();
  await stack.stopPlugin();
  await emulator.control.faults({ host: "myregistry.azurecr.io", status: 500 });
  const plugin = await stack.plugin();
  for (const fails of [() => plugin.read(id, outputs), () => plugin.delete(id, outputs)]) {
    await expect(fails()).rejects.toThrow(/^target: .*\[TARGET_UNAVAILABLE\]\n {2}Hint: /);
  }
  expect(plugin.output).not.toMatch(/\n\s+at |TARGET_UNAVAILABLE|\.js:\d/);
  expect(plugin.output.match(/^.*: .*$/gm)).toEqual(
    Array(2).fill(`${id}: failed: see the error on the resource above`),
  );
});

test("an Azure error with an id field is not reported as a partially created resource", async () => {
  await emulator.control.faults({
    ...start,
    status: 400,
    body: { error: { code: "InvalidParameters", message: "It is wrong.", id: "an-id" }, id: "another-id" },
  });
  const plugin = await stack.plugin();
  const { inputs } = await plugin.check(stack.inputs("image", image()));
  const error = await plugin.create(inputs).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PluginError);
  expect(error).toMatchObject({ message: expect.stringContaining("It is wrong."), initFailure: undefined });
});

test("progress is logged as ephemeral messages of the resource", async () => {
  emulator.server.state.settings.importDurationMs = 300;
  await stack.up({ one: image(), two: image({ targetTags: [`${repository}:2`] }) });
  // A slow machine also gets a message every 15 s.
  const logs = (await stack.plugin()).logs.filter(({ message }) => !/, \d+ s: /.test(message));
  const digest = targetDigest(emulator, `${repository}:1`)?.slice(0, 19);
  for (const [name, tag] of [
    ["one", "1"],
    ["two", "2"],
  ] as const) {
    const row = { severity: "info", ephemeral: true, urn: urnOf(name) };
    // The engine prints the last one after `created (3s)`.
    expect(logs.filter(({ urn }) => urn === urnOf(name))).toEqual([
      { ...row, message: `importing docker.io/${repository}@${digest}… → ${repository}:${tag}` },
      { ...row, message: "imported" },
    ]);
  }
});

test("create works without a URN to log to", async () => {
  const plugin = await stack.plugin();
  const { __program, ...news } = stack.inputs("image", image());
  const { lookup } = __program as { lookup: object };
  const { inputs } = await plugin.check({ ...news, __program: { lookup } });
  await expect(plugin.create(inputs)).resolves.toHaveProperty("id");
});
