/** How long a resource waits for a role assignment, and for which failures. */
import { azureFailure } from "../../../provider/failure/azure";
import { type Failure, ImportError } from "../../../provider/failure/failure";
import { registryFailure } from "../../../provider/failure/registry";
import { lookupFailure } from "../../../provider/failure/registry-lookup";
import { inform } from "../../../provider/plugin/progress";
import { untilRoleTakesEffect } from "../../../provider/plugin/role-assignment";

jest.mock("../../../provider/plugin/progress", () => ({ inform: jest.fn() }));
jest.mock("node:timers/promises", () => ({
  setTimeout: (ms: number) => {
    now += ms;
    return Promise.resolve();
  },
}));
let now = 0;

beforeEach(() => {
  now = 0;
  jest.spyOn(Date, "now").mockImplementation(() => now);
  jest.mocked(inform).mockClear();
});

const denied = azureFailure.permissionDenied("target", "the registry", "somebody");
const invisible = lookupFailure.notVisible("target", "myregistry", "somebody", "everything");
let number = 0;

/** Runs something that fails for `ms`, and returns how often it ran. */
function failingFor(ms: number, failure: Failure = denied, registry = `registry-${++number}`, more: object = {}) {
  let runs = 0;
  const beforeRetry = jest.fn();
  const result = untilRoleTakesEffect(
    async () => {
      runs += 1;
      if (now < ms) throw new ImportError(failure);
      return runs;
    },
    { registry, urn: "urn", beforeRetry, ...more },
  );
  return { result, beforeRetry, runs: () => runs };
}

test.each<[string, Failure]>([
  ["Resource Manager denies it", denied],
  ["the registry denies it", registryFailure.accessDenied("target", "myregistry.azurecr.io/app", "somebody")],
  ["the registry grants no token", registryFailure.credentialsRejected("target", "myregistry.azurecr.io")],
])("waits while %s, says so once, and forgets what it knew before each retry", async (_, failure) => {
  const { result, beforeRetry } = failingFor(60_000, failure);
  const runs = await result;
  expect(runs).toBeGreaterThan(5);
  expect(beforeRetry).toHaveBeenCalledTimes(runs - 1);
  expect(jest.mocked(inform).mock.calls).toEqual([
    ["urn", "waiting up to 5 min for the role assignment to take effect"],
  ]);
});

test("gives up after five minutes, with the failure itself", async () => {
  const { result } = failingFor(Number.POSITIVE_INFINITY);
  await expect(result).rejects.toThrow("[AZURE_PERMISSION_DENIED]");
  expect(now).toBeGreaterThan(4 * 60_000);
  expect(now).toBeLessThanOrEqual(5 * 60_000);
});

test("all resources of a registry together wait no longer than one", async () => {
  const registry = "shared";
  await expect(failingFor(Number.POSITIVE_INFINITY, denied, registry).result).rejects.toThrow();
  const end = now;
  const second = failingFor(Number.POSITIVE_INFINITY, denied, registry);
  await expect(second.result).rejects.toThrow();
  expect([now - end, second.runs()]).toEqual([expect.any(Number), expect.any(Number)]);
  expect(now).toBeLessThanOrEqual(5 * 60_000);
});

test.each<[string, Failure]>([
  ["another failure", registryFailure.unavailable("target", "myregistry.azurecr.io", "HTTP 503")],
  ["a source that is denied", registryFailure.accessDenied("source", "ghcr.io/a/b", "somebody")],
  ["a registry that is not found", invisible],
])("does not wait for %s", async (_, failure) => {
  const { result, runs } = failingFor(1, failure);
  await expect(result).rejects.toThrow(failure.code);
  expect(runs()).toBe(1);
});

test("waits for a registry that is not visible where it is looked up by name", async () => {
  expect(await failingFor(1, invisible, undefined, { orCode: "REGISTRY_NOT_FOUND" }).result).toBe(2);
});

test("ends with the timeout of the operation", async () => {
  const { result, runs } = failingFor(60_000, denied, undefined, { signal: AbortSignal.abort() });
  await expect(result).rejects.toThrow("[AZURE_PERMISSION_DENIED]");
  expect(runs()).toBe(1);
});
