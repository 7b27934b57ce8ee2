/** Faults of Resource Manager, source, target and token service, one at a time. */
import type { Fault } from "acr-emulator";
import { holdImports, startTestEmulator, type TestEmulator } from "../support/emulator";
import { digestOf } from "../support/fixtures";
import { until } from "../support/until";
import { importRequested, publish, pushForeignImage, Stack, targetDigest } from "./stack";

const tag = "team/app:1";
const image = (changes: object = {}) => ({ source: `docker.io/${tag}`, targetTags: [tag], ...changes });

/** The tests mostly wait, so they run concurrently, each with its own emulator. */
const withEmulator = async (
  run: (context: { emulator: TestEmulator; stack: Stack; first: string }) => Promise<void>,
): Promise<void> => {
  const emulator = await startTestEmulator();
  const stack = new Stack(emulator);
  await run({ emulator, stack, first: publish(emulator, tag) });
  await stack.stopPlugin();
};

const arm = { host: "management.azure.com" };
const start = { ...arm, method: "POST", path: "/importImage" };
const poll = { ...arm, method: "GET", path: "/operationResults/" };
const look = { ...arm, method: "GET", path: "/registries" };
const target = { host: "myregistry.azurecr.io", from: "client" as const };
const head = { ...target, method: "HEAD" };
/** The reads after the one before the import. */
const readBack = { ...target, path: "/manifests/", after: 1 };
const busy = { status: 429, headers: { "retry-after": "1" } };
const wrong = digestOf("0");

describe("an import survives when", () => {
  test.concurrent.each<[string, ...Fault[]]>([
    ["Resource Manager throttles every request", { ...arm, times: 4, ...busy }],
    ["Resource Manager throttles without Retry-After", { ...start, times: 1, status: 429 }],
    ["Resource Manager answers the import with 500 twice", { ...start, times: 2, status: 500 }],
    ["the connection to Resource Manager is reset", { ...start, times: 1, reset: true }],
    ["the response to the import request is lost", { ...start, times: 1, loseResponse: true }],
    ["the import is accepted without a Location", { ...start, times: 1, dropHeaders: ["location"] }],
    ["polls get 503", { ...poll, times: 2, status: 503 }],
    ["polls are reset", { ...poll, times: 2, reset: true }],
    ["the token of a poll expires", { ...poll, times: 1, expireToken: true }],
    ["a poll gets no Location", { ...poll, times: 1, dropHeaders: ["location"] }],
    ["the Location of the operation is gone", { ...poll, status: 404, body: { error: { code: "NotFound" } } }],
    ["the target throttles", { ...target, times: 2, ...busy }],
    ["the target answers 500 twice", { ...target, times: 2, status: 500 }],
    ["connections to the target are reset", { ...target, times: 2, reset: true }],
    ["the token of the target expires before the verification", { ...readBack, times: 1, expireToken: true }],
    [
      "the target shows a wrong digest at first",
      { ...readBack, times: 2, setHeaders: { "docker-content-digest": wrong } },
    ],
    [
      "the manifest of the target is truncated",
      { ...target, method: "GET", path: "/manifests/", times: 1, truncateBody: 20 },
    ],
    ["the token service answers 500 once", { host: "login.microsoftonline.com", times: 1, status: 500 }],
    [
      "everything fails once",
      { ...look, times: 1, ...busy },
      { ...start, times: 1, status: 502 },
      { ...head, times: 1, reset: true },
    ],
  ])("%s", (_, ...faults) =>
    withEmulator(async ({ emulator, stack, first }) => {
      emulator.server.state.settings.importDurationMs = 300;
      await emulator.control.faults(...faults);
      const declared = image({ customTimeouts: { create: "1m" } });
      expect(await stack.up({ image: declared })).toEqual({ steps: { image: "create" }, errors: {} });
      expect(targetDigest(emulator, tag)).toBe(first);
      expect(stack.resource().outputs).toMatchObject({ sourceDigest: first, verifiedBy: "digest" });
      const matched = emulator.server.faults.list().map(({ matched }) => matched);
      expect(Math.min(...matched)).toBeGreaterThan(0);
      await emulator.control.faults();
      expect((await stack.up({ image: declared })).steps).toEqual({ image: "same" });
    }),
  );

  test.concurrent("a replica shows a new or moved tag late", () =>
    withEmulator(async ({ emulator, stack }) => {
      await emulator.control.call("PATCH", "/registries/myregistry", {}, { replicationLagMs: 1_500 });
      expect((await stack.up({ image: image() })).errors).toEqual({});
      const second = publish(emulator, tag);
      expect((await stack.up({ image: image() })).errors).toEqual({});
      expect(stack.resource().outputs).toMatchObject({ sourceDigest: second, verifiedBy: "digest" });
    }));

  test.concurrent("polls hang until the time limit, but the target holds the digest", () =>
    withEmulator(async ({ emulator, stack, first }) => {
      await emulator.control.faults({ ...poll, hang: true });
      expect((await stack.up({ image: image({ customTimeouts: { create: "5s" } }) })).errors).toEqual({});
      expect(stack.resource().outputs).toMatchObject({ sourceDigest: first, verifiedBy: "digest" });
    }));

  test.concurrent("Azure reports a failure, but the target holds the digest", () =>
    withEmulator(async ({ emulator, stack, first }) => {
      await emulator.control.faults({ ...poll, status: 202 });
      const run = stack.up({ image: image() });
      await until(() => targetDigest(emulator, tag) === first);
      await emulator.control.faults({
        ...poll,
        times: 1,
        status: 400,
        body: { error: { code: "InvalidParameters", message: "Operation failed. Who knows why." } },
      });
      expect((await run).errors).toEqual({});
      expect(stack.resource().outputs.sourceDigest).toBe(first);
    }));
});

describe("an import fails with a code and a hint, and works once the fault is gone:", () => {
  test.concurrent.each<[string, RegExp, object, ...Fault[]]>([
    ["Resource Manager hangs", /\[IMPORT_TIMED_OUT\]/, { create: "2s" }, { ...start, hang: true }],
    ["the target hangs", /\[IMPORT_TIMED_OUT\]/, { create: "2s" }, { ...head, hang: true }],
    [
      "Resource Manager throttles beyond the time limit",
      /\[AZURE_THROTTLED\]/,
      { create: "5s" },
      { ...start, ...busy },
    ],
    [
      "the target answers 500",
      /^target: .*\[TARGET_UNAVAILABLE\]/,
      {},
      { ...target, path: "/manifests/", status: 500 },
    ],
    [
      "the source throttles Azure",
      /^source: .*\[SOURCE_THROTTLED\]/,
      {},
      { host: "registry-1.docker.io", from: "azure", ...busy },
    ],
    [
      "the source denies Azure",
      /^source: .*\[SOURCE_(ACCESS_DENIED|CREDENTIALS_REJECTED)\]/,
      {},
      { host: "auth.docker.io", from: "azure", status: 401 },
    ],
    [
      "the layers of the source cannot be copied",
      /^source: .*\[SOURCE_(RANGE_UNSUPPORTED|UNAVAILABLE)\]/,
      {},
      { host: "registry-1.docker.io", from: "azure", path: "/blobs/", status: 500 },
    ],
    ["the identity loses its role", /\[AZURE_PERMISSION_DENIED\]/, {}, { ...start, ...forbidden() }],
  ])("%s", (_, text, customTimeouts, ...faults) =>
    withEmulator(async ({ emulator, stack, first }) => {
      await emulator.control.faults(...faults);
      const { errors } = await stack.up({ image: image({ customTimeouts }) });
      expect(errors.image).toMatch(text);
      expect(errors.image).toMatch(/\n {2}Hint: /);
      expect(errors.image).not.toMatch(/\n\s+at |undefined|\[object/);
      expect(stack.state.size).toBe(0);
      expect(targetDigest(emulator, tag)).toBeUndefined();

      await emulator.control.faults();
      expect((await stack.up({ image: image() })).errors).toEqual({});
      expect(targetDigest(emulator, tag)).toBe(first);
    }),
  );

  test.concurrent("the target never shows the digest, although Azure reports success", () =>
    withEmulator(async ({ emulator, stack, first }) => {
      await emulator.control.faults({ ...readBack, setHeaders: { "docker-content-digest": wrong } });
      const { errors } = await stack.up({ image: image({ customTimeouts: { create: "8s" } }) });
      expect(errors.image).toMatch(/^target: .*, although Azure reported success; .*\[TARGET_NOT_VERIFIED\]/);
      expect(errors.image).toContain(`holds ${wrong}`);
      expect(errors.image).toContain(first);
      expect(stack.state.size).toBe(0);
      await emulator.control.faults();
      expect((await stack.up({ image: image() })).errors).toEqual({});
    }));

  test.concurrent("the tag moves between import and verification", () =>
    withEmulator(async ({ emulator, stack, first }) => {
      // Neither a poll nor the target reports the success before the tag has moved.
      await emulator.control.faults({ ...poll, ...busy }, { ...readBack, status: 404 });
      const up = stack.up({ image: image({ customTimeouts: { create: "8s" } }) });
      await until(() => targetDigest(emulator, tag) === first);
      const theirs = pushForeignImage(emulator, tag);
      await emulator.control.faults();
      const { errors } = await up;
      expect(errors.image).toMatch(/\[TARGET_NOT_VERIFIED\]/);
      expect(errors.image).toContain(`holds ${theirs}`);
      expect((await stack.up({ image: image() })).errors.image).toContain("[TARGET_CONFLICT]");
      expect(targetDigest(emulator, tag)).toBe(theirs);
    }));

  test.concurrent("the target hangs during refresh and destroy", () =>
    withEmulator(async ({ emulator, stack }) => {
      await stack.up({ image: image({ onDelete: "untag", customTimeouts: { update: "2s", delete: "2s" } }) });
      await emulator.control.faults({ ...target, hang: true });
      for (const { errors } of [await stack.refresh(), await stack.destroy()]) {
        expect(errors.image).toMatch(/^target: .*2 s \[IMPORT_TIMED_OUT\]/);
      }
      await emulator.control.faults();
      await stack.up({ image: image({ onDelete: "untag" }) });
      expect((await stack.destroy()).errors).toEqual({});
      expect(targetDigest(emulator, tag)).toBeUndefined();
    }));
});

test.concurrent("imports the resolved digest when the source tag moves during the import (Azure/azure-cli#29974)", () =>
  withEmulator(async ({ emulator, stack, first }) => {
    await emulator.control.faults({ ...start, import: { moveTag: true } });
    const release = await holdImports(emulator);
    const up = stack.up({ image: image() });
    await importRequested(emulator);
    const second = publish(emulator, tag);
    await release();
    expect((await up).errors).toEqual({});
    expect(targetDigest(emulator, tag)).toBe(first);
    expect((await stack.up({ image: image() })).steps).toEqual({ image: "update" });
    expect(targetDigest(emulator, tag)).toBe(second);
  }));

function forbidden(): Fault {
  const message = "The client does not have authorization to perform action over scope.";
  return { status: 403, body: { error: { code: "AuthorizationFailed", message } } };
}
