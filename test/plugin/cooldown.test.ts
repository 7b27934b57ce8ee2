/** `cooldown`: a digest waits before it replaces the recorded one. */
import { useEmulator } from "../support/emulator";
import { clientRequests, freshStack, importCount, publish, type Stack, targetDigest } from "./stack";

const emulator = useEmulator();
let stack: Stack;
let repository: string;
let first: string;
let image: { source: string; targetTags: string[]; cooldown: string };

beforeEach(async () => {
  ({ stack, repository, first } = freshStack(emulator));
  image = { source: `docker.io/${repository}:1`, targetTags: [`${repository}:1`], cooldown: "3d" };
});

const none = { errors: {} };
const up = (changes: object = {}) => stack.up({ image: { ...image, ...changes } });
const held = () => targetDigest(emulator, `${repository}:1`);
const recorded = () => stack.resource().outputs;

/** Makes the recorded candidate older, as time does. */
function age(): void {
  const { inputs, outputs, ...rest } = stack.resource();
  const older = { candidate: String(outputs.candidate).replace(/ since \S+/, " since 2026-01-01T00:00Z") };
  stack.state.set("image", { ...rest, inputs: { ...inputs, ...older }, outputs: { ...outputs, ...older } });
}

test("the first digest does not wait; one that replaces it is recorded, and imported by an up after the time", async () => {
  expect(await up()).toEqual({ ...none, steps: { image: "create" } });
  expect(recorded()).not.toHaveProperty("candidate");

  const second = publish(emulator, `${repository}:1`);
  emulator.server.log.clear();
  expect(await up()).toEqual({ ...none, steps: { image: "update" } });
  expect(recorded()).toMatchObject({
    sourceDigest: first,
    targets: { [`${repository}:1`]: first },
    candidate: expect.stringMatching(new RegExp(`^${second} since \\d{4}-\\d\\d-\\d\\dT\\d\\d:00Z$`)),
  });
  expect(stack.resource().inputs.candidate).toBe(recorded().candidate);
  expect((await up()).steps).toEqual({ image: "same" });
  expect(clientRequests(emulator)).toEqual([]);
  expect(held()).toBe(first);

  age();
  expect(await up()).toEqual({ ...none, steps: { image: "update" } });
  expect(held()).toBe(second);
  expect(recorded()).toMatchObject({ sourceDigest: second });
  expect(recorded()).not.toHaveProperty("candidate");
});

test("a candidate that is replaced starts again, and one that the publisher takes back vanishes", async () => {
  await up();
  publish(emulator, `${repository}:1`);
  await up();
  age();
  const third = publish(emulator, `${repository}:1`);
  expect((await up()).steps).toEqual({ image: "update" });
  expect(recorded().candidate).toMatch(`${third} since 2`);
  expect(recorded().candidate).not.toContain("2026-01-01");
  expect(held()).toBe(first);

  emulator.server.images.publicStores.get("docker.io")?.setTag(repository, "1", first);
  expect((await up()).steps).toEqual({ image: "update" });
  expect(recorded()).not.toHaveProperty("candidate");
  expect((await up()).steps).toEqual({ image: "same" });
});

test.each([
  ["triggers change", { triggers: ["now"] }],
  ["the cooldown is switched off", { cooldown: "0" }],
])("a candidate is imported at once when %s", async (_, changes) => {
  await up();
  const second = publish(emulator, `${repository}:1`);
  await up();
  expect(held()).toBe(first);
  expect((await up(changes)).errors).toEqual({});
  expect(held()).toBe(second);
  expect(recorded()).not.toHaveProperty("candidate");
});

test("a recorded digest that waits to be replaced is still what the target should hold", async () => {
  await up();
  publish(emulator, `${repository}:1`);
  await up();
  emulator.server.images.remove(`myregistry.azurecr.io/${repository}:1`);
  await stack.refresh();
  const { candidate } = recorded();
  expect((await up()).errors).toEqual({});
  expect([held(), recorded().candidate]).toEqual([first, candidate]);
});

test("a source that does not respond leaves the candidate as it is", async () => {
  await up();
  publish(emulator, `${repository}:1`);
  await up();
  const { candidate } = recorded();
  const failure = {
    code: "SOURCE_UNAVAILABLE",
    side: "source",
    object: "docker.io",
    reason: "is unavailable (HTTP 503)",
  };
  const news = stack.inputs("image", { ...image, onSourceUnavailable: "keep" });
  const { lookup } = news.__program as { lookup: { source: string } };
  const __program = { lookup: { source: lookup.source, failure } };
  const { inputs } = await (await stack.plugin()).check({ ...news, __program }, stack.resource().inputs);
  expect(inputs).toMatchObject({ sourceDigest: first, candidate });
});

test("with platform, a candidate is read once", async () => {
  const reference = `docker.io/${repository}:1`;
  const index = { kind: "index", platforms: ["linux/amd64", "linux/arm64"] } as const;
  const { digest: before } = emulator.server.images.replace(reference, index);
  await up({ platform: "linux/arm64" });
  const { digest: after } = emulator.server.images.replace(reference, index);
  expect((await up({ platform: "linux/arm64" })).steps).toEqual({ image: "update" });
  expect(recorded()).toMatchObject({ indexDigest: before, candidate: expect.stringMatching(` in ${after}$`) });
  emulator.server.log.clear();
  expect((await up({ platform: "linux/arm64" })).steps).toEqual({ image: "same" });
  expect(clientRequests(emulator)).toEqual([]);

  age();
  expect((await up({ platform: "linux/arm64" })).errors).toEqual({});
  expect(recorded()).toMatchObject({ indexDigest: after });
});

describe("with a source in Azure", () => {
  const metadata = () =>
    emulator.server.log.select(new URLSearchParams({ host: "mysourceregistry.azurecr.io", path: "/acr/v1/" }));

  /** Moves the tag, as if it had been done at that time. */
  function publishAt(time: string): string {
    const digest = publish(emulator, `mysourceregistry.azurecr.io/${repository}:1`);
    const tag = emulator.server.images.registries.find("mysourceregistry.azurecr.io")?.store.tag(repository, "1");
    if (tag === undefined) throw new Error("the tag was not published");
    tag.lastUpdateTime = new Date(time);
    return digest;
  }

  test("the wait begins when the tag was pushed, which is asked once", async () => {
    const source = `mysourceregistry.azurecr.io/${repository}:1`;
    publishAt("2026-01-01T00:00Z");
    await up({ source });
    const pushed = new Date(Date.now() - 24 * 3_600_000).toISOString();
    const second = publishAt(pushed);
    emulator.server.log.clear();
    expect((await up({ source })).errors).toEqual({});
    expect(recorded().candidate).toBe(`${second} since ${pushed.slice(0, 13)}:00Z`);
    expect(metadata()).toHaveLength(1);
    expect((await up({ source })).steps).toEqual({ image: "same" });
    expect(metadata()).toHaveLength(1);
    expect(importCount(emulator)).toBe(0);

    const third = publishAt("2026-01-02T00:00Z");
    expect((await up({ source })).errors).toEqual({});
    expect(held()).toBe(third);
  });

  test("a registry that does not tell is no failure", async () => {
    const source = `mysourceregistry.azurecr.io/${repository}:1`;
    publishAt("2026-01-01T00:00Z");
    await up({ source });
    const second = publishAt("2026-01-02T00:00Z");
    await emulator.control.faults({ host: "mysourceregistry.azurecr.io", path: "/acr/v1/", status: 403 });
    expect((await up({ source })).errors).toEqual({});
    await emulator.control.faults();
    expect(recorded().candidate).toMatch(`${second} since `);
    expect(recorded().candidate).not.toContain("2026-01-02");
  });
});
