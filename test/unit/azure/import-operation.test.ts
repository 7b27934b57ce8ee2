/** The import operation with its polls, against an emulator with faults. */
import { Throttle } from "../../../provider/azure/throttle";
import { parseRegistryName } from "../../../provider/reference/registry-name";
import type { RequestFilter } from "../../support/emulator";
import { until } from "../../support/until";
import { ARM, Imports, POLL, START, textOf } from "./import-run";

const imports = new Imports();
const armRequests = (filter: RequestFilter) => imports.emulator.control.requests({ host: ARM, ...filter });

describe("what the SDK would call a success is none:", () => {
  test("202 without Location", async () => {
    await imports.emulator.control.faults({ ...START, dropHeaders: ["location"] });
    const { outcome } = await imports.run();
    expect(outcome).toMatchObject({ state: "unknown", accepted: true });
    expect(textOf(outcome)).toContain("returned no Location header");
    expect(await imports.requestMethods()).toBe("POST");
  });

  test("a poll of 200 whose body says Failed", async () => {
    const body = { status: "Failed", error: { code: "X", message: "Error copying blobs" } };
    await imports.emulator.control.faults({ ...POLL, status: 200, body });
    expect((await imports.run()).outcome).toMatchObject({
      state: "failed",

      failure: { reason: expect.stringContaining("Error copying blobs") },
    });
  });

  test("a poll of 204", async () => {
    await imports.emulator.control.faults({ ...POLL, status: 204 });
    expect((await imports.run()).outcome).toMatchObject({ state: "unknown", accepted: true });
  });
});

describe("our token stays with Resource Manager:", () => {
  test.each([
    "https://evil.example.com/follow",
    "http://management.azure.com/follow",
    "https://management.azure.com.evil.com/x",
  ])("%s is not followed", async (location) => {
    await imports.emulator.control.faults({ ...START, setHeaders: { location } });
    const { outcome } = await imports.run();
    expect(outcome).toMatchObject({ state: "unknown", accepted: true });
    expect(textOf(outcome)).toContain("returned a Location on another host");
    expect((await imports.emulator.control.requests({ from: "client" })).map(({ host }) => host)).not.toContain(
      new URL(location).host === ARM ? "" : new URL(location).host,
    );
    expect(await imports.requestMethods()).toBe("POST");
  });

  test("nor in a later answer", async () => {
    await imports.emulator.control.faults(
      { ...START, import: { stayPending: true } },
      { ...POLL, setHeaders: { location: "https://evil.example.com/" } },
    );
    expect(textOf((await imports.run()).outcome)).toContain("returned a Location on another host");
    expect(await imports.requestMethods()).toBe("POST GET");
  });
});

describe("a start", () => {
  test("that is throttled is tried until it passes", async () => {
    await imports.emulator.control.faults({ ...START, status: 429, headers: { "retry-after": "1" }, times: 4 });
    const { outcome, tag } = await imports.run();
    expect(outcome.state).toBe("succeeded");
    expect(imports.targetDigest(tag)).toBeDefined();
  });

  test("that is throttled for longer than there is time fails as throttled", async () => {
    await imports.emulator.control.faults({ ...START, status: 429, headers: { "retry-after": "600" } });
    const { outcome } = await imports.run({ endsWhen: () => imports.waits.some((ms) => ms >= 500_000) });
    expect(outcome).toMatchObject({ state: "failed", failure: { code: "AZURE_THROTTLED" } });
  });

  test("whose answer is lost after the work was done ends in success or in a tag that exists", async () => {
    await imports.emulator.control.faults({ ...START, loseResponse: true, times: 1 });
    const { outcome, tag } = await imports.run();
    const tagExists = { state: "failed", failure: { code: "TARGET_CONFLICT" } };
    expect(outcome).toMatchObject(outcome.state === "succeeded" ? {} : tagExists);
    await until(() => imports.targetDigest(tag) !== undefined);
  });

  test("that is never answered in order, or not at all, is not called failed", async () => {
    const error = { code: "InternalServerError", message: "Oops." };
    await imports.emulator.control.faults(
      { ...START, path: "/myregistry/importImage", status: 500, body: { error } },
      { ...START, path: "/mysourceregistry/importImage", reset: true },
    );
    const other = await imports.emulator.azure().findRegistry(parseRegistryName("mysourceregistry"), "target");
    await imports.emulator.control.clearRequests();
    const runs = await Promise.all([imports.run(), imports.run({ into: other })]);
    for (const { outcome } of runs) {
      expect(outcome).toMatchObject({ state: "unknown", accepted: false, failure: { code: "AZURE_UNAVAILABLE" } });
    }
    expect(await imports.requestMethods()).toBe(Array(8).fill("POST").join(" "));
  });

  test("that never reached Azure has failed", async () => {
    const azure = imports.emulator.azure();
    await azure.registryToken();
    await imports.emulator.control.faults({ host: "management.usgovcloudapi.net", method: "CONNECT", status: 502 });
    const env = {
      ARM_RESOURCE_MANAGER_ENDPOINT: "https://management.usgovcloudapi.net",
      ARM_RESOURCE_MANAGER_AUDIENCE: "https://management.azure.com",
      ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST: "https://login.microsoftonline.com",
    };
    const { outcome } = await imports.run({ env });
    expect(outcome).toMatchObject({ state: "failed", failure: { code: "AZURE_UNAVAILABLE" } });
    expect(textOf(outcome)).toMatch(/management\.usgovcloudapi\.net.*proxy/);
  });

  test("without a working credential has failed", async () => {
    const { outcome } = await imports.run({ env: { ARM_CLIENT_SECRET: "wrong" } });
    expect(outcome).toMatchObject({ state: "failed", failure: { code: "AZURE_CREDENTIAL_REJECTED" } });
    expect(await imports.requestMethods()).toBe("");
  });

  test("that hangs ends when the time is up", async () => {
    await imports.emulator.control.faults({ ...START, hang: true });
    const { outcome } = await imports.run({ endsWhen: async () => (await armRequests({ method: "POST" })).length > 0 });
    expect(outcome).toMatchObject({ state: "timedOut", accepted: false, failure: { code: "IMPORT_TIMED_OUT" } });
  });
});

describe("polls", () => {
  test("go on through throttling, faults and broken connections", async () => {
    imports.emulator.server.state.settings.importDurationMs = 500;
    await imports.emulator.control.faults(
      { ...POLL, status: 429, headers: { "retry-after": "1" }, times: 1 },
      { ...POLL, status: 503, after: 1, times: 1 },
      { ...POLL, reset: true, after: 2, times: 1 },
    );
    expect((await imports.run()).outcome.state).toBe("succeeded");
    expect(await imports.requestMethods()).toMatch(/^POST GET GET GET( GET)+$/);
  });

  test("end when the time is up, and say that Azure goes on", async () => {
    await imports.emulator.control.faults({ ...START, import: { stayPending: true } });
    const { outcome } = await imports.run({ endsWhen: async () => (await armRequests({ method: "GET" })).length > 1 });
    expect(outcome).toMatchObject({ state: "timedOut", accepted: true, failure: { code: "IMPORT_TIMED_OUT" } });
    expect(textOf(outcome)).toMatch(/did not finish within \d+ s.*\n.*customTimeouts.*continues in Azure/);
  });

  test.each([
    [401, { error: { code: "ExpiredAuthenticationToken", message: "Expired." } }],
    [403, { error: { code: "AuthorizationFailed", message: "No rights on the subscription." } }],
    [404, { error: { code: "NotFound", message: "No such operation." } }],
  ])("that are refused with %p tell nothing about the import", async (status, body) => {
    await imports.emulator.control.faults({ ...POLL, status, body });
    const { outcome, tag } = await imports.run();
    expect(outcome).toMatchObject({ state: "unknown", accepted: true });
    await until(() => imports.targetDigest(tag) !== undefined);
  });

  test("that stay lost are given up long before the time is up", async () => {
    await imports.emulator.control.faults({ ...POLL, reset: true }, { host: ARM, method: "CONNECT", status: 502 });
    const { outcome } = await imports.run();
    expect(outcome).toMatchObject({ state: "unknown", accepted: true, failure: { code: "AZURE_UNAVAILABLE" } });
    expect(textOf(outcome)).toMatch(/could not be reached: .*proxy .*502/);
  });

  test("wait as long as the service asks for, and a second when Retry-After is 0", async () => {
    await imports.emulator.control.faults(
      { ...START, setHeaders: { "retry-after": "0" }, import: { stayPending: true } },
      { ...POLL, times: 1, setHeaders: { "retry-after": "7" } },
      { ...POLL, after: 1, dropHeaders: ["retry-after"] },
    );
    const pauses = () => imports.waits.filter((ms) => ms < 10_000);
    await imports.run({ endsWhen: () => pauses().length > 2 });
    expect(pauses().slice(0, 3)).toEqual([1_000, 7_000, 2_000]);
  });
});

describe("a watch", () => {
  test("that sees the image ends the import without a poll", async () => {
    await imports.emulator.control.faults({ ...START, setHeaders: { "retry-after": "60" } });
    const { outcome } = await imports.run({ watch: async () => true });
    expect(outcome).toEqual({ state: "succeeded", isSeen: true });
    expect(await imports.requestMethods()).toBe("POST");
  });

  test("begins when Azure has accepted the import, and ends with it", async () => {
    await imports.emulator.control.faults({ ...START, status: 429, headers: { "retry-after": "1" }, times: 1 });
    const seen: unknown[] = [];
    const watch = async (signal: AbortSignal) => {
      seen.push(await imports.requestMethods());
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      seen.push("aborted");
      return false;
    };
    expect((await imports.run({ watch })).outcome).toEqual({ state: "succeeded" });
    await until(() => seen.length === 2);
    expect(seen).toEqual(["POST POST", "aborted"]);
  });

  test("that cannot see the image leaves the result to Azure", async () => {
    await imports.emulator.control.faults({ ...START, import: { failWith: "Error copying blobs" } });
    const { outcome } = await imports.run({ watch: async () => false });
    expect(outcome).toMatchObject({ state: "failed", failure: { code: "IMPORT_FAILED" } });
  });
});

test("an import that was not sent because Azure throttles another one fails as throttled, too", async () => {
  const azure = imports.emulator.azure();
  const entered = jest.spyOn(Throttle.prototype, "enter");
  await imports.emulator.control.faults({ ...START, status: 429, headers: { "retry-after": "47" } });
  const first = imports.run({ azure, endsWhen: () => entered.mock.calls.length === 3 });
  await until(() => entered.mock.calls.length === 2);
  const second = imports.run({ azure, endsWhen: () => entered.mock.calls.length === 3 });
  for (const { outcome } of await Promise.all([first, second])) {
    expect(outcome).toMatchObject({ state: "failed", failure: { code: "AZURE_THROTTLED" } });
  }
  expect(await imports.requestMethods()).toBe("POST");
});
