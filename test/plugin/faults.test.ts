import type { Fault } from "../../emulator/faults";
import { type Box, holdImports, startBox } from "../support/emulator";
import { digestOf } from "../support/fixtures";
import { until } from "../support/until";
import { held, importRequested, intrude, publish, Stack } from "./stack";

const tag = "team/app:1";
const image = (changes: object = {}) => ({ source: `docker.io/${tag}`, targetTags: [tag], ...changes });

/** Most of the time is spent waiting, so the tests run side by side, each in a world of its own. */
const inAWorld = async (run: (world: { box: Box; stack: Stack; first: string }) => Promise<void>): Promise<void> => {
  const box = await startBox();
  const stack = new Stack(box);
  await run({ box, stack, first: publish(box, tag) });
  await stack.renew();
};

const arm = { host: "management.azure.com" };
const start = { ...arm, method: "POST", path: "/importImage" };
const poll = { ...arm, method: "GET", path: "/operationResults/" };
const look = { ...arm, method: "GET", path: "/registries" };
const target = { host: "myregistry.azurecr.io", from: "client" as const };
const head = { ...target, method: "HEAD" };
const busy = { status: 429, headers: { "retry-after": "1" } };
const wrong = digestOf("0");

describe("what passes costs time and nothing else", () => {
  test.concurrent.each<[string, ...Fault[]]>([
    ["Resource Manager is busy, throughout", { ...arm, times: 4, ...busy }],
    ["Resource Manager is busy without saying for how long", { ...start, times: 1, status: 429 }],
    ["Resource Manager stumbles at the import", { ...start, times: 2, status: 500 }],
    ["Resource Manager's connection breaks", { ...start, times: 1, reset: true }],
    ["the answer to the import is lost after the work was begun", { ...start, times: 1, loseResponse: true }],
    ["the import is accepted and nobody says where to follow it", { ...start, times: 1, dropHeaders: ["location"] }],
    ["polls stumble", { ...poll, times: 2, status: 503 }],
    ["polls break off", { ...poll, times: 2, reset: true }],
    ["a poll's token expires", { ...poll, times: 1, expireToken: true }],
    ["a poll forgets where to go on", { ...poll, times: 1, dropHeaders: ["location"] }],
    ["the address of the operation is gone", { ...poll, status: 404, body: { error: { code: "NotFound" } } }],
    ["the target is busy", { ...target, times: 2, ...busy }],
    ["the target stumbles", { ...target, times: 2, status: 500 }],
    ["the target's connections break", { ...target, times: 2, reset: true }],
    ["the target's token expires before it is verified", { ...head, after: 1, times: 1, expireToken: true }],
    [
      "the target shows a wrong digest at first",
      { ...head, after: 1, times: 2, setHeaders: { "docker-content-digest": wrong } },
    ],
    ["the target's manifest is cut off", { ...target, method: "GET", path: "/manifests/", times: 1, truncateBody: 20 }],
    ["the token service stumbles", { host: "login.microsoftonline.com", times: 1, status: 500 }],
    [
      "everything, once",
      { ...look, times: 1, ...busy },
      { ...start, times: 1, status: 502 },
      { ...head, times: 1, reset: true },
    ],
  ])("%s", (_, ...faults) =>
    inAWorld(async ({ box, stack, first }) => {
      box.emulator.world.settings.importDurationMs = 300;
      await box.control.faults(...faults);
      const declared = image({ customTimeouts: { create: "1m" } });
      expect(await stack.up({ image: declared })).toEqual({ steps: { image: "create" }, errors: {} });
      expect(held(box, tag)).toBe(first);
      expect(stack.resource().outputs).toMatchObject({ sourceDigest: first, verifiedBy: "digest" });
      const struck = box.emulator.faults.list().map(({ struck }) => struck);
      expect(Math.min(...struck)).toBeGreaterThan(0);
      await box.control.faults();
      expect((await stack.up({ image: declared })).steps).toEqual({ image: "same" });
    }),
  );

  test.concurrent("a replica that lags is waited for, with a new tag and with a moved one", () =>
    inAWorld(async ({ box, stack }) => {
      await box.control.call("PATCH", "/registries/myregistry", {}, { replicationLagMs: 1_500 });
      expect((await stack.up({ image: image() })).errors).toEqual({});
      const second = publish(box, tag);
      expect((await stack.up({ image: image() })).errors).toEqual({});
      expect(stack.resource().outputs).toMatchObject({ sourceDigest: second, verifiedBy: "digest" });
    }));

  test.concurrent("an import that is done when the time limit is reached counts, though nobody said so", () =>
    inAWorld(async ({ box, stack, first }) => {
      await box.control.faults({ ...poll, hang: true });
      expect((await stack.up({ image: image({ customTimeouts: { create: "5s" } }) })).errors).toEqual({});
      expect(stack.resource().outputs).toMatchObject({ sourceDigest: first, verifiedBy: "digest" });
    }));

  test.concurrent("an import that is said to have failed counts as done when the target holds the digest", () =>
    inAWorld(async ({ box, stack, first }) => {
      await box.control.faults({
        ...poll,
        times: 1,
        status: 400,
        body: { error: { code: "InvalidParameters", message: "Operation failed. Who knows why." } },
      });
      expect((await stack.up({ image: image() })).errors).toEqual({});
      expect(stack.resource().outputs.sourceDigest).toBe(first);
    }));
});

describe("what does not pass has a code, says what to do, and is over with the fault", () => {
  test.concurrent.each<[string, RegExp, object, ...Fault[]]>([
    ["a hanging Resource Manager", /\[IMPORT_TIMED_OUT\]/, { create: "2s" }, { ...start, hang: true }],
    ["a hanging target", /\[IMPORT_TIMED_OUT\]/, { create: "2s" }, { ...head, hang: true }],
    ["throttling that outlasts the limit", /\[AZURE_THROTTLED\]/, { create: "5s" }, { ...start, ...busy }],
    ["a target out of order", /^target: .*\[TARGET_UNAVAILABLE\]/, {}, { ...head, status: 500 }],
    [
      "a source that is busy when Azure reads it",
      /^source: .*\[SOURCE_THROTTLED\]/,
      {},
      { host: "registry-1.docker.io", from: "azure", ...busy },
    ],
    [
      "a source that refuses Azure",
      /^source: .*\[SOURCE_(ACCESS_DENIED|CREDENTIALS_REJECTED)\]/,
      {},
      { host: "auth.docker.io", from: "azure", status: 401 },
    ],
    [
      "a source whose layers cannot be copied",
      /^source: .*\[SOURCE_(RANGE_UNSUPPORTED|UNAVAILABLE)\]/,
      {},
      { host: "registry-1.docker.io", from: "azure", path: "/blobs/", status: 500 },
    ],
    ["an identity that loses its rights", /\[AZURE_PERMISSION_DENIED\]/, {}, { ...start, ...forbidden() }],
  ])("%s", (_, text, customTimeouts, ...faults) =>
    inAWorld(async ({ box, stack, first }) => {
      await box.control.faults(...faults);
      const { errors } = await stack.up({ image: image({ customTimeouts }) });
      expect(errors.image).toMatch(text);
      expect(errors.image).toMatch(/\n {2}What to do: /);
      expect(errors.image).not.toMatch(/\n\s+at |undefined|\[object/);
      expect(stack.state.size).toBe(0);
      expect(held(box, tag)).toBeUndefined();

      await box.control.faults();
      expect((await stack.up({ image: image() })).errors).toEqual({});
      expect(held(box, tag)).toBe(first);
    }),
  );

  test.concurrent("a target that never shows the digest, though Azure reports success", () =>
    inAWorld(async ({ box, stack, first }) => {
      await box.control.faults({ ...head, after: 1, setHeaders: { "docker-content-digest": wrong } });
      const { errors } = await stack.up({ image: image({ customTimeouts: { create: "8s" } }) });
      expect(errors.image).toMatch(/^target: Azure reports success, but .*\[TARGET_NOT_VERIFIED\]/);
      expect(errors.image).toContain(`holds ${wrong}`);
      expect(errors.image).toContain(first);
      expect(stack.state.size).toBe(0);
      await box.control.faults();
      expect((await stack.up({ image: image() })).errors).toEqual({});
    }));

  test.concurrent("a tag that somebody moves between import and verification", () =>
    inAWorld(async ({ box, stack, first }) => {
      // No poll reports the success before the tag has moved.
      await box.control.faults({ ...poll, ...busy });
      const up = stack.up({ image: image({ customTimeouts: { create: "8s" } }) });
      await until(() => held(box, tag) === first);
      const theirs = intrude(box, tag);
      await box.control.faults();
      const { errors } = await up;
      expect(errors.image).toMatch(/\[TARGET_NOT_VERIFIED\]/);
      expect(errors.image).toContain(`holds ${theirs}`);
      expect((await stack.up({ image: image() })).errors.image).toContain("[TARGET_CONFLICT]");
      expect(held(box, tag)).toBe(theirs);
    }));

  test.concurrent("a target that hangs while it is released, and while it is read", () =>
    inAWorld(async ({ box, stack }) => {
      await stack.up({ image: image({ onDelete: "untag", customTimeouts: { update: "2s", delete: "2s" } }) });
      await box.control.faults({ ...target, hang: true });
      for (const { errors } of [await stack.refresh(), await stack.destroy()]) {
        expect(errors.image).toMatch(/^target: .*2 s \[IMPORT_TIMED_OUT\]/);
      }
      await box.control.faults();
      await stack.up({ image: image({ onDelete: "untag" }) });
      expect((await stack.destroy()).errors).toEqual({});
      expect(held(box, tag)).toBeUndefined();
    }));
});

test.concurrent("a source tag that moves while Azure imports cannot get in between: the import is by digest", () =>
  inAWorld(async ({ box, stack, first }) => {
    await box.control.faults({ ...start, import: { moveTag: true } });
    const release = await holdImports(box);
    const up = stack.up({ image: image() });
    await importRequested(box);
    const second = publish(box, tag);
    await release();
    expect((await up).errors).toEqual({});
    expect(held(box, tag)).toBe(first);
    expect((await stack.up({ image: image() })).steps).toEqual({ image: "update" });
    expect(held(box, tag)).toBe(second);
  }));

function forbidden(): Fault {
  const message = "The client does not have authorization to perform action over scope.";
  return { status: 403, body: { error: { code: "AuthorizationFailed", message } } };
}
