/** Progress messages on the row of a resource. */
import * as pulumi from "@pulumi/pulumi";
import { rememberUrn, withProgress } from "../../../provider/plugin/progress";
import type { Inputs } from "../../../provider/resource/state";

jest.mock("@pulumi/pulumi", () => ({
  output: (value: unknown) => value,
  runtime: { resetOptions: () => {} },
  log: { info: jest.fn(async () => {}) },
}));
const info = jest.mocked(pulumi.log.info);

const inputs = { loginServer: "myregistry.azurecr.io", targetTags: ["node:22"] } as unknown as Inputs;
const said = () => info.mock.calls.map(([message]) => message);

beforeEach(() => {
  jest.useFakeTimers();
  info.mockClear();
  rememberUrn(inputs, "urn");
});
afterEach(() => jest.useRealTimers());

test("a long operation says every 15 s what it is at, the time first, and at its end that it is over", async () => {
  await withProgress(inputs, async (progress) => {
    progress("importing", "docker.io/library/node@sha256:4439307b758a… → node:22");
    await jest.advanceTimersByTimeAsync(31_000);
    progress("verifying", "node:22");
    await jest.advanceTimersByTimeAsync(15_000);
  });
  await jest.advanceTimersByTimeAsync(60_000);
  expect(said()).toEqual([
    "importing docker.io/library/node@sha256:4439307b758a… → node:22",
    "importing, 15 s: docker.io/library/node@sha256:4439307b758a… → node:22",
    "importing, 30 s: docker.io/library/node@sha256:4439307b758a… → node:22",
    "verifying, 45 s: node:22",
    "imported",
  ]);
});

test("an operation that only removes targets shows that", async () => {
  await withProgress(inputs, async (progress) => progress("removing", "node:20"));
  expect(said()).toEqual(["removing node:20", "removed"]);
});

test("one that has nothing to do says nothing, however long it takes to find out", async () => {
  await withProgress(inputs, () => jest.advanceTimersByTimeAsync(31_000));
  expect(said()).toEqual([]);
});

test("one that fails leaves the last word to its error", async () => {
  const failing = withProgress(inputs, async (progress) => {
    progress("importing", "node");
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  await jest.advanceTimersByTimeAsync(60_000);
  expect(said()).toEqual(["importing node"]);
});

test("an engine that does not take the last message holds up no operation", async () => {
  jest.useRealTimers();
  info.mockReturnValue(new Promise(() => {}));
  await expect(withProgress(inputs, async (progress) => progress("importing", "node"))).resolves.toBeUndefined();
});
