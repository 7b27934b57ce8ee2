/** Locks: what is locked and unlocked when, what is recorded, and what happens to the locks of others. */
import { useEmulator } from "../support/emulator";
import { DATA_IMPORTER, registryId, servicePrincipals, variablesOf } from "../support/fixtures";
import {
  clientRequests,
  freshStack,
  importCount,
  importRequested,
  publish,
  pushForeignImage,
  Stack,
  targetDigest,
} from "./stack";

const emulator = useEmulator();
let stack: Stack;
let repository: string;
let first: string;
let image: { source: string; targetTags: string[] };

beforeEach(async () => {
  ({ stack, repository, first } = freshStack(emulator));
  image = { source: `docker.io/${repository}:1`, targetTags: [`${repository}:1`] };
  await emulator.control.clearRequests();
});
afterEach(async () => {
  await emulator.control.faults();
  emulator.server.state.settings.importDurationMs = 0;
});

const up = (changes: object = {}) => stack.up({ image: { ...image, ...changes } });
const log = () => emulator.server.log.clear();
const store = () => emulator.server.state.registries.find(({ name }) => name === "myregistry")?.store;
/** `[locked against changes, locked against deletion]` */
const lockOf = (tagOrDigest = "1", of = repository) => {
  const attributes = store()?.attributes(of, tagOrDigest);
  return attributes && [!attributes.writeEnabled, !attributes.deleteEnabled];
};
const setLock = (tag: string, locked: boolean) =>
  store()?.setAttributes(repository, tag, { writeEnabled: !locked, deleteEnabled: !locked });
const changes = () => emulator.server.log.select(new URLSearchParams({ method: "PATCH" })).length;
const lock = () => stack.resource().outputs.lock;

const [none, write, remove, both] = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
];
const same = { steps: { image: "same" }, errors: {} };
const updated = { steps: { image: "update" }, errors: {} };

test.each<[unknown, unknown[]]>([
  [true, both],
  [{ write: true, delete: true }, both],
  [{ write: true }, write],
  [{ delete: true, write: false }, remove],
  [{}, none],
  [false, none],
  [undefined, none],
])("lock: %j locks the tag as it says, and not its manifest; a second up sends no request", async (value, expected) => {
  const locked = value === undefined ? {} : { lock: value };
  expect(await up(locked)).toEqual({ steps: { image: "create" }, errors: {} });
  expect([lockOf(), lockOf(first)]).toEqual([expected, none]);
  expect(lock()).toEqual(value);
  log();
  expect(await up(locked)).toEqual(same);
  expect(clientRequests(emulator)).toEqual([]);
});

test("each lock is written once and read back", async () => {
  await up({ lock: true });
  const requests = emulator.server.log.select(new URLSearchParams({ from: "client", path: "/acr/v1/" }));
  expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual(
    ["GET", "PATCH", "GET"].map((method) => `${method} /acr/v1/${repository}/_tags/1`),
  );
});

test("all tags are locked, and manifests without a tag", async () => {
  const mirror = `${repository}-mirror`;
  const targetTags = [`${repository}:1`, `${repository}:2`];
  await up({ targetTags, untaggedTargetRepositories: [mirror], lock: true });
  expect([lockOf("1"), lockOf("2"), lockOf(first), lockOf(first, mirror)]).toEqual([both, both, none, both]);
});

test("a change of lock is an update that imports nothing", async () => {
  const mirror = `${repository}-mirror`;
  const targets = { targetTags: [`${repository}:1`, `${repository}:2`], untaggedTargetRepositories: [mirror] };
  await up(targets);
  log();
  const expected: [object, unknown[]][] = [
    [{ lock: true }, both],
    [{ lock: { write: true } }, write],
    [{ lock: { delete: true } }, remove],
    [{}, none],
  ];
  for (const [args, locked] of expected) {
    expect(await up({ ...targets, ...args })).toEqual(updated);
    expect([lockOf("1"), lockOf("2"), lockOf(first, mirror)]).toEqual([locked, locked, locked]);
    expect(await up({ ...targets, ...args })).toEqual(same);
  }
  expect(importCount(emulator)).toBe(0);
  expect(stack.resource().outputs).not.toHaveProperty("lock");
});

test("another spelling of the same lock is no change", async () => {
  await up({ lock: true });
  expect(await up({ lock: { write: true, delete: true } })).toEqual(same);
  await up({ lock: false });
  expect(await up()).toEqual(same);
});

test("a locked tag that moves upstream is unlocked, moved and locked again", async () => {
  await up({ lock: true });
  const second = publish(emulator, `${repository}:1`);
  expect(await up({ lock: true })).toEqual(updated);
  expect([targetDigest(emulator, `${repository}:1`), lockOf()]).toEqual([second, both]);
});

test("a tag that is only locked against deletion moves without being unlocked", async () => {
  await up({ lock: { delete: true } });
  const second = publish(emulator, `${repository}:1`);
  log();
  expect(await up({ lock: { delete: true } })).toEqual(updated);
  expect([targetDigest(emulator, `${repository}:1`), lockOf(), changes()]).toEqual([second, remove, 0]);
});

test("a tag moves in the update that gives up the lock", async () => {
  await up({ lock: true });
  const second = publish(emulator, `${repository}:1`);
  expect(await up()).toEqual(updated);
  expect([targetDigest(emulator, `${repository}:1`), lockOf()]).toEqual([second, none]);
});

test("triggers import locked targets again", async () => {
  const targets = { untaggedTargetRepositories: [`${repository}-mirror`], lock: true };
  await up(targets);
  expect(await up({ ...targets, triggers: [1] })).toEqual(updated);
  expect([lockOf(), lockOf(first, `${repository}-mirror`)]).toEqual([both, both]);
});

test("a manifest without a tag keeps its lock when a new one takes its place", async () => {
  const untagged = { targetTags: [], untaggedTargetRepositories: [repository], lock: true };
  await up(untagged);
  const second = publish(emulator, `${repository}:1`);
  expect(await up(untagged)).toEqual(updated);
  expect([lockOf(first), lockOf(second)]).toEqual([both, both]);
});

test("a tag that is added is locked, and those that are locked already cost no change", async () => {
  await up({ lock: true });
  log();
  expect(await up({ targetTags: [`${repository}:1`, `${repository}:2`], lock: true })).toEqual(updated);
  expect([lockOf("2"), changes(), importCount(emulator)]).toEqual([both, 1, 1]);
});

describe("drift", () => {
  test("is shown by a refresh in outputs and inputs, and repaired by the next up without an import", async () => {
    const two = { targetTags: [`${repository}:1`, `${repository}:2`], lock: true };
    await up(two);
    store()?.setAttributes(repository, "2", { writeEnabled: true });
    expect((await stack.refresh()).errors).toEqual({});
    const drift = { lock: { write: true, delete: true, unlocked: [`${repository}:2`] } };
    expect(stack.resource()).toMatchObject({ inputs: drift, outputs: drift });
    log();
    expect(await up(two)).toEqual(updated);
    expect([lockOf("1"), lockOf("2"), changes(), importCount(emulator)]).toEqual([both, both, 1, 0]);
    expect(stack.resource()).toMatchObject({ inputs: { lock: true }, outputs: { lock: true } });
  });

  test("that somebody else has repaired is gone after another refresh", async () => {
    await up({ lock: true });
    setLock("1", false);
    await stack.refresh();
    setLock("1", true);
    await stack.refresh();
    expect(lock()).toBe(true);
    log();
    expect(await up({ lock: true })).toEqual(same);
    expect(clientRequests(emulator)).toEqual([]);
  });

  test("is left alone where ignoreChanges keeps it", async () => {
    await up({ lock: true });
    setLock("1", false);
    await stack.refresh();
    expect(await up({ lock: lock() })).toEqual(same);
    expect(lockOf()).toEqual(none);
  });

  test("a refresh without drift, or of an image without lock, changes nothing", async () => {
    for (const locked of [{ lock: { delete: true } }, {}]) {
      await up(locked);
      const before = stack.resource();
      await stack.refresh();
      expect(stack.resource()).toEqual(before);
    }
  });
});

describe("somebody else's lock", () => {
  test.each<[string, object]>([
    ["without lock", {}],
    ["with a lock against deletion only", { lock: { delete: true } }],
  ])("on a tag that moves upstream is an error that says how to take it off: %s", async (_, args) => {
    await up(args);
    setLock("1", true);
    publish(emulator, `${repository}:1`);
    const { errors } = await up(args);
    expect(errors.image).toMatch(/\[TARGET_LOCKED\]\n {2}Hint: .*az acr repository update .*--write-enabled true/);
    expect([targetDigest(emulator, `${repository}:1`), lockOf()]).toEqual([first, both]);
    expect(importCount(emulator)).toBe(2);
  });

  test("stays on where lock was off", async () => {
    await up();
    setLock("1", true);
    expect(await up({ lock: false })).toEqual(same);
    expect(await up({ onConflict: "overwrite", triggers: [] })).toEqual(updated);
    expect(lockOf()).toEqual(both);
  });

  test("on a tag that somebody else moved is not taken off", async () => {
    await up({ lock: true });
    setLock("1", false);
    const theirs = pushForeignImage(emulator, `${repository}:1`);
    setLock("1", true);
    await stack.refresh();
    const { errors } = await up({ lock: true, onConflict: "overwrite" });
    expect(errors.image).toContain("[TARGET_LOCKED]");
    expect([targetDigest(emulator, `${repository}:1`), lockOf()]).toEqual([theirs, both]);
  });

  test("counts as ours where lock asks for it, and needs no permission then", async () => {
    const other = freshStack(emulator);
    await other.stack.up({ image: { source: `docker.io/${other.repository}:1` } });
    store()?.setAttributes(other.repository, "1", { writeEnabled: false, deleteEnabled: false });
    log();
    await other.stack.up({ image: { source: `docker.io/${other.repository}:1`, lock: true } });
    expect(changes()).toBe(0);
    await other.stack.up({ image: { source: `docker.io/${other.repository}:1` } });
    expect(lockOf("1", other.repository)).toEqual(none);
  });
});

describe("when targets leave", () => {
  afterEach(() => stack.stopPlugin());

  test("destroy retains image and lock without a request", async () => {
    await up({ lock: true });
    log();
    expect((await stack.destroy()).errors).toEqual({});
    expect([targetDigest(emulator, `${repository}:1`), lockOf()]).toEqual([first, both]);
    expect(clientRequests(emulator)).toEqual([]);
  });

  test.each(["untag", "delete"])("onDelete: %s takes our lock off first", async (onDelete) => {
    await up({ untaggedTargetRepositories: [`${repository}-mirror`], lock: true, onDelete });
    expect((await stack.destroy()).errors).toEqual({});
    expect(targetDigest(emulator, `${repository}:1`)).toBeUndefined();
    const kept = onDelete === "untag" ? both : undefined;
    expect(lockOf(first, `${repository}-mirror`)).toEqual(kept);
  });

  test("onDelete: delete leaves a manifest and its lock where another tag needs it", async () => {
    await up({ untaggedTargetRepositories: [repository], lock: true, onDelete: "delete" });
    store()?.setTag(repository, "theirs", first);
    expect((await stack.destroy()).errors).toEqual({});
    expect([targetDigest(emulator, `${repository}:theirs`), lockOf(first)]).toEqual([first, both]);
  });

  test("onDelete: untag does not take off somebody else's lock", async () => {
    await up({ onDelete: "untag" });
    setLock("1", true);
    expect((await stack.destroy()).errors.image).toContain("[TARGET_LOCKED]");
    expect([targetDigest(emulator, `${repository}:1`), lockOf()]).toEqual([first, both]);
  });

  test("a tag that is dropped together with the lock is unlocked and removed", async () => {
    const two = [`${repository}:1`, `${repository}:2`];
    await up({ targetTags: two, lock: true, onDelete: "untag" });
    await stack.stopPlugin();
    expect(await up({ onDelete: "untag" })).toEqual(updated);
    expect([lockOf("1"), targetDigest(emulator, `${repository}:2`)]).toEqual([none, undefined]);
  });

  test("a tag that could not be removed is still known as locked by us in the next run", async () => {
    const two = [`${repository}:1`, `${repository}:2`];
    await up({ targetTags: two, lock: true, onDelete: "untag" });
    await stack.stopPlugin();
    await emulator.control.faults({ method: "GET", path: "/_tags/2", status: 400 });
    expect((await up({ onDelete: "untag" })).errors.image).toContain("[TARGET_INVALID_RESPONSE]");
    expect(lockOf("2")).toEqual(both);
    await emulator.control.faults();
    expect((await up({ onDelete: "untag" })).errors).toEqual({});
    expect([lockOf("1"), targetDigest(emulator, `${repository}:2`)]).toEqual([none, undefined]);
    expect(stack.resource().outputs).not.toHaveProperty("lock");
  });
});

describe("an operation that ends halfway", () => {
  test("locks a tag again that did not move", async () => {
    await up({ lock: true });
    const before = stack.resource();
    publish(emulator, `${repository}:1`);
    await emulator.control.faults({ path: "/importImage", import: { failWith: "it hit a snag." } });
    expect((await up({ lock: true })).errors.image).toContain("[IMPORT_FAILED]");
    expect([targetDigest(emulator, `${repository}:1`), lockOf()]).toEqual([first, both]);
    expect(stack.resource()).toEqual(before);
  });

  test("records a tag that timed out without its lock, and the next up locks it without an import", async () => {
    const limited = { lock: true, customTimeouts: { update: "2s" } };
    await up(limited);
    publish(emulator, `${repository}:1`);
    await emulator.control.faults({ path: "/importImage", times: 1, import: { stayPending: true } });
    expect((await up(limited)).errors.image).toContain("[IMPORT_TIMED_OUT]");
    expect(lockOf()).toEqual(remove);
    expect(stack.resource().outputs).toMatchObject({ sourceDigest: first, lock: { unlocked: [`${repository}:1`] } });
    // Upstream moves back.
    emulator.server.images.publicStores.get("docker.io")?.setTag(repository, "1", first);
    log();
    expect((await up(limited)).errors).toEqual({});
    expect([lockOf(), importCount(emulator), lock()]).toEqual([both, 0, true]);
  });

  test("records the import, and the next up only locks", async () => {
    await emulator.control.faults({ method: "PATCH", status: 400 });
    const { errors } = await up({ lock: true });
    expect(errors.image).toContain("[TARGET_INVALID_RESPONSE]");
    expect(stack.resource().outputs).toMatchObject({
      sourceDigest: first,
      targets: { [`${repository}:1`]: first },
      verifiedBy: "digest",
      lock: { write: true, delete: true, unlocked: [`${repository}:1`] },
    });
    await emulator.control.faults();
    log();
    expect(await up({ lock: true })).toEqual(updated);
    expect([lockOf(), importCount(emulator), lock()]).toEqual([both, 0, true]);
  });

  test("locks all that can be locked, and a later up without lock unlocks what it locked", async () => {
    const two = { targetTags: [`${repository}:1`, `${repository}:2`] };
    await emulator.control.faults({ method: "PATCH", path: "/_tags/1", status: 400 });
    expect((await up({ ...two, lock: true })).errors.image).toBeDefined();
    expect([lockOf("1"), lockOf("2")]).toEqual([none, both]);
    expect((await up(two)).errors).toEqual({});
    expect([lockOf("1"), lockOf("2")]).toEqual([none, none]);
  });

  test("reports a lock that comes undone", async () => {
    await emulator.control.faults({
      method: "GET",
      path: "/_tags/1",
      after: 1,
      status: 200,
      body: { tag: { changeableAttributes: { writeEnabled: true, deleteEnabled: true } } },
    });
    const { errors } = await up({ lock: true });
    expect(errors.image).toMatch(/is not locked, although the registry reported success \[TARGET_NOT_VERIFIED\]/);
    expect(lock()).toEqual({ write: true, delete: true, unlocked: [`${repository}:1`] });
  });

  test("converges after a kill while the tag is unlocked for its move", async () => {
    const killed = new Stack(emulator);
    await killed.up({ image: { ...image, lock: true } });
    const second = publish(emulator, `${repository}:1`);
    log();
    emulator.server.state.settings.importDurationMs = 3_600_000;
    const run = killed.up({ image: { ...image, lock: true } });
    await importRequested(emulator);
    expect(lockOf()).toEqual(remove);
    await killed.stopPlugin();
    await run;
    emulator.server.state.settings.importDurationMs = 0;
    expect((await killed.up({ image: { ...image, lock: true } })).errors).toEqual({});
    expect([targetDigest(emulator, `${repository}:1`), lockOf()]).toEqual([second, both]);
    await killed.stopPlugin();
  });
});

describe("where the target cannot be reached", () => {
  const access = (publicNetworkAccess: string) =>
    emulator.control.call("PATCH", "/registries/myregistry", {}, { publicNetworkAccess });
  afterEach(() => access("Enabled"));

  test("the import is recorded and the lock is a failure, until it can be reached or lock is removed", async () => {
    await access("Disabled");
    const { errors } = await up({ lock: true });
    expect(errors.image).toMatch(
      /cannot be reached from this machine.*\[TARGET_UNREACHABLE\]\n {2}Hint: .*remove lock/,
    );
    expect(stack.resource().outputs).toMatchObject({ sourceDigest: first, verifiedBy: "operation" });
    log();
    expect((await up({ lock: true })).errors.image).toContain("[TARGET_UNREACHABLE]");
    expect(importCount(emulator)).toBe(0);
    expect((await up()).errors).toEqual({});
    expect((await up({ lock: true })).errors.image).toContain("[TARGET_UNREACHABLE]");
    await access("Enabled");
    expect((await up({ lock: true })).errors).toEqual({});
    expect(lockOf()).toEqual(both);
  });

  test("a locked tag that moves upstream is a failure that leaves the record as it is", async () => {
    await up({ lock: true });
    const before = stack.resource();
    publish(emulator, `${repository}:1`);
    await access("Disabled");
    expect((await up({ lock: true })).errors.image).toMatch(/so this run cannot unlock .*\[TARGET_UNREACHABLE\]/);
    expect(stack.resource()).toEqual(before);
    expect(lockOf()).toEqual(both);
  });
});

test.each(["LegacyRegistryPermissions", "AbacRepositoryPermissions"])(
  "an identity that may import but not lock is told the role: %s",
  async (roleAssignmentMode) => {
    const { objectId: principalId } = servicePrincipals.withoutRights;
    const scope = registryId("myregistry");
    for (const granted of [DATA_IMPORTER, "AcrPush"]) {
      emulator.server.state.roleAssignments.push({ principalId, role: granted, scope });
    }
    await emulator.control.call("PATCH", "/registries/myregistry", {}, { roleAssignmentMode });
    const limited = new Stack(emulator, { env: variablesOf(servicePrincipals.withoutRights) });
    try {
      const args = { ...image, registry: scope };
      const { errors } = await limited.up({ image: { ...args, lock: true } });
      expect(errors.image).toMatch(/is not allowed to lock .*\[TARGET_ACCESS_DENIED\]/);
      expect(errors.image).toContain(
        "role Contributor (Container Registry Repository Writer if the registry uses ABAC)",
      );
      expect(limited.resource().outputs).toMatchObject({ sourceDigest: first });
      // Without lock nothing is left to do.
      expect((await limited.up({ image: args })).errors).toEqual({});
    } finally {
      await limited.stopPlugin();
      await emulator.control.call("DELETE", "/roles", { principalId });
      await emulator.control.call(
        "PATCH",
        "/registries/myregistry",
        {},
        { roleAssignmentMode: "LegacyRegistryPermissions" },
      );
    }
  },
);
