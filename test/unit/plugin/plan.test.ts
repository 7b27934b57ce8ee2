/** The decisions that `diff` and `update` share. */
import fc from "fast-check";
import {
  type Change,
  digestToImport,
  droppedTargets,
  type LockChange,
  planChange,
  planLocks,
  planReferrers,
  planTargets,
  planUnlockForRemoval,
  planUnlocksForMove,
  type TargetDigests,
} from "../../../provider/plugin/plan";
import type { Digest } from "../../../provider/reference/digest";
import { parseTarget, type Target } from "../../../provider/reference/target";
import { type Inputs, type Outputs, type Targets, targetNames, toOutputs } from "../../../provider/resource/state";
import { UNKNOWN } from "../../../provider/resource/unknown";
import { digestOf, registryId } from "../../support/fixtures";

const [ours, wanted, theirs] = [digestOf("1"), digestOf("2"), digestOf("f")];

const inputs = (changes: Partial<Inputs> = {}): Inputs => ({
  registry: "myregistry",
  source: "docker.io/library/node:22",
  targetTags: ["node:22", "node:lts"],
  registryId: registryId("myregistry"),
  loginServer: "myregistry.azurecr.io",
  sourceDigest: ours,
  ...changes,
});
const holding = (names: readonly string[], held: Digest): Targets =>
  Object.fromEntries(names.map((name) => [name, held]));
const recorded = (changes: Partial<Outputs> = {}): Outputs => ({
  ...toOutputs(inputs(), {
    sourceDigest: ours,
    targets: holding(targetNames(inputs()), ours),
    verifiedBy: "digest",
  }),
  ...changes,
});

describe("planChange", () => {
  test.each<[string, Partial<Inputs>, Partial<Outputs>, Change]>([
    ["a second up with the same digest", {}, {}, "unchanged"],
    ["the source moved", { sourceDigest: wanted }, {}, "apply"],
    ["a tag was added", { targetTags: ["node:22", "node:lts", "node:new"] }, {}, "apply"],
    ["a tag was dropped", { targetTags: ["node:22"] }, {}, "apply"],
    ["a repository was added", { untaggedTargetRepositories: ["mirror"] }, {}, "apply"],
    ["a tag vanished", {}, { targets: { "node:22": ours } }, "apply"],
    ["a tag was moved by others", {}, { targets: { "node:22": ours, "node:lts": theirs } }, "apply"],
    ["a trigger changed", { triggers: [2] }, { triggers: [1] }, "apply"],
    ["a trigger that is equal", { triggers: [{ a: [1] }] }, { triggers: [{ a: [1] }] }, "unchanged"],
    ["the first trigger", { triggers: [1] }, {}, "apply"],
    ["another registry", { loginServer: "other.azurecr.io" }, {}, "replace"],
    ["another registry and another source", { loginServer: "o.azurecr.io", sourceDigest: wanted }, {}, "replace"],
    ["another spelling of the registry", { registry: "myregistry.azurecr.io" }, {}, "unchanged"],
    ["a resource ID in other letters", { registryId: registryId("myregistry").toUpperCase() }, {}, "unchanged"],
    ["the registry was moved within Azure", { registryId: registryId("myregistry", undefined, "moved") }, {}, "apply"],
    ["the source is named differently", { source: "node:22" }, {}, "record"],
    ["another policy on conflicts", { onConflict: "overwrite" }, {}, "record"],
    ["another policy on deletion", { onDelete: "untag" }, {}, "record"],
    ["another policy on outages", { onSourceUnavailable: "keep" }, {}, "record"],
    ["another cooldown", { cooldown: "3d" }, { cooldown: "1d" }, "record"],
    ["a digest that waits", { candidate: `${wanted} since 2026-11-25T04:00Z` }, {}, "record"],
    ["a digest that waits no longer", {}, { candidate: `${wanted} since 2026-11-25T04:00Z` }, "record"],
    ["another policy on moves", { onSourceMove: "fail" }, {}, "record"],
    [
      "policies that say the default",
      { onConflict: "fail", onDelete: "retain", onSourceUnavailable: "fail", onSourceMove: "import", cooldown: "0" },
      {},
      "unchanged",
    ],
    ["an index that moved without its platform", { indexDigest: wanted }, { indexDigest: theirs }, "record"],
    ["a new referrer", { referrers: `a/b ${wanted}` }, { referrers: "" }, "apply"],
    ["the first referrer", { referrers: `a/b ${wanted}` }, {}, "apply"],
    ["cosign's tag that moved", { referrers: `s.sig ${wanted}` }, { referrers: `s.sig ${theirs}` }, "apply"],
    ["fewer referrers", { referrers: "" }, { referrers: `a/b ${wanted}` }, "record"],
    ["referrers that are wanted and do not exist", { referrers: "" }, {}, "record"],
    ["no referrers any more", {}, { referrers: `a/b ${wanted}` }, "record"],
    ["another list without new referrers", { referrersFingerprint: "1" }, { referrersFingerprint: "2" }, "record"],
    ["unknown referrers", { referrers: UNKNOWN }, { referrers: "" }, "apply"],
    ["a lock", { lock: true }, {}, "apply"],
    ["no lock any more", {}, { lock: { write: true } }, "apply"],
    ["a lock that a refresh did not find", { lock: true }, { lock: { write: true, unlocked: ["node:22"] } }, "apply"],
    ["the same lock, spelled differently", { lock: true }, { lock: { write: true, delete: true } }, "unchanged"],
    ["a lock that says the default", { lock: false }, {}, "unchanged"],
    ["an unknown lock", { lock: UNKNOWN as unknown as boolean }, { lock: true }, "apply"],
    ["other timeouts", { timeouts: { create: "1h" } }, {}, "record"],
    ["another order of the targets", { targetTags: ["node:lts", "node:22"] }, {}, "record"],
    ["another policy and a moved source", { onDelete: "untag", sourceDigest: wanted }, {}, "apply"],
    [
      "new credentials",
      { source: { image: "docker.io/library/node:22", credentials: { username: "u", password: "p" } } },
      {},
      "unchanged",
    ],
    ["an unknown registry", { loginServer: UNKNOWN, registryId: UNKNOWN }, {}, "apply"],
    ["the same login server, whose resource ID cannot be found out", { registryId: UNKNOWN }, {}, "unchanged"],
    ["an unknown digest", { sourceDigest: UNKNOWN as Digest }, {}, "apply"],
    ["an unknown target", { targetTags: [UNKNOWN] }, {}, "apply"],
    ["an unknown target beside the known ones", { targetTags: ["node:22", "node:lts", UNKNOWN] }, {}, "apply"],
    ["an unknown list of targets", { targetTags: UNKNOWN as unknown as string[] }, {}, "apply"],
    ["an unknown trigger", { triggers: [UNKNOWN] }, { triggers: [1] }, "apply"],
  ])("%s", (_, desired, before, change) => {
    expect(planChange(inputs(desired), recorded(before))).toBe(change);
  });

  describe("with the digest to be read from the target", () => {
    const source = { image: "app:1", registry: "private", digestFrom: "target" as const };
    const unresolved = (changes: Partial<Inputs> = {}) => {
      const { sourceDigest, ...rest } = inputs({ source, ...changes });
      return rest;
    };

    test.each<[string, Partial<Inputs>, Change, boolean]>([
      ["nothing changed", {}, "unchanged", true],
      ["another reference", { source: { ...source, image: "app:2" } }, "apply", false],
      ["a trigger changed", { triggers: ["again"] }, "apply", false],
      ["a tag was added", { targetTags: ["node:22", "node:lts", "node:new"] }, "apply", true],
    ])("%s", (_, changes, change, isKnown) => {
      const before = recorded({ source });
      expect(planChange(unresolved(changes), before)).toBe(change);
      expect(digestToImport(unresolved(changes), before)).toBe(isKnown ? ours : undefined);
    });

    test("nothing is known before the first import", () => {
      expect(digestToImport(unresolved(), undefined)).toBeUndefined();
    });
  });
});

/** A plan with the names of its targets. */
interface NamePlan {
  keep: string[];
  add: string[];
  move: string[];
  conflicts: readonly { target: string; holds: Digest }[];
}

function planNames(names: readonly string[], ...rest: Rest): NamePlan {
  const { keep, add, move, conflicts } = planTargets(names.map(parseTarget), ...rest);
  const nameOf = ({ name }: Target) => name;
  return { keep: keep.map(nameOf), add: add.map(nameOf), move: move.map(nameOf), conflicts };
}

type Rest = Parameters<typeof planTargets> extends [unknown, ...infer Others] ? Others : never;

const fail = { overwrite: false, again: false };
const overwrite = { overwrite: true, again: false };
const again = { overwrite: false, again: true };

describe("planTargets", () => {
  const plan = (changes: Partial<NamePlan>): NamePlan => ({
    keep: [],
    add: [],
    move: [],
    conflicts: [],
    ...changes,
  });
  const record: Pick<Outputs, "sourceDigest" | "targets"> = { sourceDigest: ours, targets: { "a:1": ours } };
  const conflict = plan({ conflicts: [{ target: "a:1", holds: theirs }] });

  describe("one tag", () => {
    test.each<[string, Digest | undefined, typeof record | undefined, Digest | undefined, typeof fail, NamePlan]>([
      ["nothing recorded, nothing there", wanted, undefined, undefined, fail, plan({ add: ["a:1"] })],
      ["nothing recorded, nothing there, overwrite", wanted, undefined, undefined, overwrite, plan({ add: ["a:1"] })],
      ["nothing recorded, there already: adopted", wanted, undefined, wanted, fail, plan({ keep: ["a:1"] })],
      ["nothing recorded, a foreign digest", wanted, undefined, theirs, fail, conflict],
      ["nothing recorded, a foreign digest, overwrite", wanted, undefined, theirs, overwrite, plan({ move: ["a:1"] })],
      ["recorded and there", ours, record, ours, fail, plan({ keep: ["a:1"] })],
      ["recorded and there, imported again", ours, record, ours, again, plan({ move: ["a:1"] })],
      ["recorded, the source moved", wanted, record, ours, fail, plan({ move: ["a:1"] })],
      ["recorded, moved by a run that was killed", wanted, record, wanted, fail, plan({ keep: ["a:1"] })],
      ["recorded, gone", ours, record, undefined, fail, plan({ add: ["a:1"] })],
      ["recorded, a foreign digest now", ours, record, theirs, fail, conflict],
      ["recorded, a foreign digest now, again", ours, record, theirs, again, conflict],
      ["recorded, a foreign digest now, overwrite", ours, record, theirs, overwrite, plan({ move: ["a:1"] })],
      ["digest from the target, nothing there", undefined, undefined, undefined, fail, plan({ add: ["a:1"] })],
      ["digest from the target, something there: never adopted", undefined, undefined, theirs, fail, conflict],
      ["digest from the target, ours is replaced", undefined, record, ours, fail, plan({ move: ["a:1"] })],
    ])("%s", (_, digest, before, holds, policy, expected) => {
      expect(planNames(["a:1"], digest, before, new Map([["a:1", holds]]), policy)).toEqual(expected);
    });
  });

  describe("one tag that cannot be read", () => {
    test.each<[string, Digest | undefined, typeof record | undefined, typeof fail, NamePlan]>([
      ["nothing recorded", wanted, undefined, fail, plan({ add: ["a:1"] })],
      ["nothing recorded, overwrite", wanted, undefined, overwrite, plan({ move: ["a:1"] })],
      ["recorded, the source moved", wanted, record, fail, plan({ move: ["a:1"] })],
      ["recorded, nothing moved", ours, record, fail, plan({ keep: ["a:1"] })],
      ["another tag is recorded", ours, { ...record, targets: { "b:1": ours } }, fail, plan({ add: ["a:1"] })],
    ])("%s", (_, digest, before, policy, expected) => {
      expect(planNames(["a:1"], digest, before, "unreadable", policy)).toEqual(expected);
    });
  });

  test("some there, some not, one ours, one theirs", () => {
    const held = new Map([
      ["there:1", wanted],
      ["gone:1", undefined],
      ["ours:1", ours],
      ["theirs:1", theirs],
      ["repository", undefined],
    ]);
    expect(planNames([...held.keys()], wanted, record, held, fail)).toEqual(
      plan({
        keep: ["there:1"],
        add: ["gone:1", "repository"],
        move: ["ours:1"],
        conflicts: [{ target: "theirs:1", holds: theirs }],
      }),
    );
  });
});

test("droppedTargets: what the record has and the program no longer names", () => {
  const desired = inputs({ targetTags: ["node:22"], untaggedTargetRepositories: ["new"] });
  expect(droppedTargets(desired, recorded())).toEqual(["node:lts"]);
  expect(droppedTargets(inputs(), recorded())).toEqual([]);
});

describe("whatever is recorded, wanted and found", () => {
  const digests = fc.constantFrom(ours, wanted, theirs);
  const names = ["a:1", "a:2", "b:1", "b", "c"];
  const perName = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Readonly<Record<string, T | undefined>>> =>
    fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
  const situation = fc
    .record({
      targets: fc.shuffledSubarray([...names], { minLength: 1 }),
      digest: fc.option(digests, { nil: undefined }),
      recorded: fc.option(fc.record({ sourceDigest: digests, targets: perName(digests) as fc.Arbitrary<Targets> }), {
        nil: undefined,
      }),
      held: perName(digests),
      readable: fc.boolean(),
      overwrite: fc.boolean(),
      again: fc.boolean(),
    })
    .map(({ held, readable, overwrite, again, ...rest }) => {
      // A repository without tag is read for one digest only, and holds that or nothing.
      const found = rest.targets.map((name) => {
        const holds = held[name];
        return [name, name.includes(":") ? holds : holds && rest.digest] as const;
      });
      return { ...rest, held: readable ? new Map(found) : ("unreadable" as const), policy: { overwrite, again } };
    });
  type Situation = typeof situation extends fc.Arbitrary<infer T> ? T : never;
  const planOf = ({ targets, digest, recorded, held, policy }: Situation) =>
    planNames(targets, digest, recorded, held, policy);

  test("every target stands in exactly one list", () => {
    fc.assert(
      fc.property(situation, (given) => {
        const { keep, add, move, conflicts } = planOf(given);
        const all = [...keep, ...add, ...move, ...conflicts.map(({ target }) => target)];
        expect(all.sort()).toEqual([...given.targets].sort());
      }),
    );
  });

  test("no foreign digest is moved under the policy to fail", () => {
    fc.assert(
      fc.property(situation, (given) => {
        if (given.policy.overwrite || given.held === "unreadable") return;
        for (const target of planOf(given).move) {
          expect([given.recorded?.sourceDigest, given.digest]).toContain(given.held.get(target));
        }
      }),
    );
  });

  test("a target that cannot be read is moved under the policy to fail only where the record calls it ours", () => {
    fc.assert(
      fc.property(situation, (given) => {
        if (given.policy.overwrite || given.held !== "unreadable") return;
        for (const target of planOf(given).move) expect(given.recorded?.targets).toHaveProperty([target]);
      }),
    );
  });

  test("nothing that is there is imported without force, which could only fail", () => {
    fc.assert(
      fc.property(situation, (given) => {
        if (given.held === "unreadable") return;
        for (const target of planOf(given).add) expect(given.held.get(target)).toBeUndefined();
      }),
    );
  });

  test("nothing conflicts under the policy to overwrite", () => {
    fc.assert(
      fc.property(situation, (given) => {
        if (given.policy.overwrite) expect(planOf(given).conflicts).toEqual([]);
      }),
    );
  });

  test("once done, there is nothing left to do", () => {
    fc.assert(
      fc.property(situation, (given) => {
        const { conflicts } = planOf(given);
        if (conflicts.length > 0 || given.digest === undefined) return;
        const targets = Object.fromEntries(given.targets.map((name) => [name, given.digest as Digest]));
        const held = given.held === "unreadable" ? given.held : new Map(Object.entries(targets));
        const after = {
          ...given,
          held,
          recorded: { sourceDigest: given.digest, targets },
          policy: { ...given.policy, again: false },
        };
        expect(planOf(after)).toEqual({ keep: given.targets, add: [], move: [], conflicts: [] });
      }),
    );
  });

  test("the order of the targets changes nothing but the order", () => {
    fc.assert(
      fc.property(situation, (given) => {
        const sorted = (plan: NamePlan) => ({
          keep: [...plan.keep].sort(),
          add: [...plan.add].sort(),
          move: [...plan.move].sort(),
          conflicts: plan.conflicts.map(({ target, holds }) => `${target} ${holds}`).sort(),
        });
        expect(sorted(planOf({ ...given, targets: [...given.targets].reverse() }))).toEqual(sorted(planOf(given)));
      }),
    );
  });
});

describe("whatever changes", () => {
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
  const change = fc
    .record({
      source: fc.constantFrom<Inputs["source"]>("node:22", "node:23", { image: "node:22" }),
      sourceDigest: fc.constantFrom(ours, wanted),
      targetTags: fc.shuffledSubarray(["a:1", "a:2", "b:1"], { minLength: 1 }),
      untaggedTargetRepositories: maybe(fc.shuffledSubarray(["b", "c"])),
      onConflict: maybe(fc.constantFrom("fail" as const, "overwrite" as const)),
      onDelete: maybe(fc.constantFrom("retain" as const, "untag" as const, "delete" as const)),
      triggers: maybe(fc.array(fc.integer({ max: 2 }), { maxLength: 2 })),
      timeouts: maybe(fc.constant({ create: "1h" })),
      loginServer: fc.constantFrom("myregistry.azurecr.io", "other.azurecr.io"),
    })
    .map(
      (changes) =>
        inputs(Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))) as Inputs & {
          sourceDigest: Digest;
        },
    );
  const outcome = (desired: Inputs & { sourceDigest: Digest }) =>
    toOutputs(desired, {
      sourceDigest: desired.sourceDigest,
      targets: holding(targetNames(desired), desired.sourceDigest),
      verifiedBy: "digest",
    });

  test("planning again on the outcome changes nothing", () => {
    fc.assert(
      fc.property(change, (desired) => {
        expect(planChange(desired, outcome(desired))).toBe("unchanged");
      }),
    );
  });

  test("an unknown value never replaces, unless the engine asks about the replacement of the registry", () => {
    const places = [
      "registry",
      "source",
      "targetTags",
      "triggers",
      "sourceDigest",
      "registryId",
      "loginServer",
    ] as const;
    fc.assert(
      fc.property(change, change, fc.subarray([...places], { minLength: 1 }), (before, after, hidden) => {
        const desired = { ...after, ...Object.fromEntries(hidden.map((place) => [place, UNKNOWN])) } as Inputs;
        // `check` finds the login server by the registry's name, so that both are unknown together.
        if (hidden.includes("registry")) Object.assign(desired, { loginServer: UNKNOWN, registryId: UNKNOWN });
        const planned = planChange(desired, outcome(before));
        const isOther = desired.loginServer !== UNKNOWN && desired.loginServer !== before.loginServer;
        expect(planned === "replace").toBe(isOther);
      }),
    );
  });

  test("a registry that is unknown while its login server is known is about to be replaced, and the image with it", () => {
    fc.assert(
      fc.property(change, (before) => {
        expect(planChange({ ...before, registry: UNKNOWN }, outcome(before))).toBe("replace");
      }),
    );
  });

  test("an update without requests never hides a change of the content", () => {
    fc.assert(
      fc.property(change, change, (before, after) => {
        const planned = planChange(after, outcome(before));
        if (planned !== "record" && planned !== "unchanged") return;
        expect(after.sourceDigest).toBe(before.sourceDigest);
        expect([...targetNames(after)].sort()).toEqual([...targetNames(before)].sort());
      }),
    );
  });
});

describe("locks", () => {
  const [tag, other, untagged] = ["node:22", "node:lts", "archive"].map(parseTarget) as [Target, Target, Target];
  const owned = (lock: Outputs["lock"], sourceDigest = ours) => ({
    sourceDigest,
    targets: holding(["node:22", "archive"], sourceDigest),
    ...(lock !== undefined && { lock }),
  });
  const byName = (changes: LockChange[]) =>
    Object.fromEntries(changes.map(({ target, attributes }) => [target.name, attributes]));
  const [locked, unlocked] = [
    { writeEnabled: false, deleteEnabled: false },
    { writeEnabled: true, deleteEnabled: true },
  ];

  test.each<[string, Outputs["lock"], Outputs["lock"], object]>([
    ["nothing without lock", undefined, undefined, {}],
    ["all targets", true, undefined, { "node:22": locked, "node:lts": locked, archive: locked }],
    ["one part", { write: true }, undefined, expect.objectContaining({ "node:22": { writeEnabled: false } })],
    ["only what is ours is unlocked", undefined, true, { "node:22": unlocked, archive: unlocked }],
    [
      "the other part instead",
      { delete: true },
      { write: true },
      {
        "node:22": { writeEnabled: true, deleteEnabled: false },
        archive: { writeEnabled: true, deleteEnabled: false },
        "node:lts": { deleteEnabled: false },
      },
    ],
    [
      "no lock that a refresh did not find",
      false,
      { write: true, unlocked: ["node:22"] },
      { archive: { writeEnabled: true } },
    ],
  ])("planLocks: %s", (_, desired, before, changes) => {
    expect(byName(planLocks([tag, other, untagged], ours, desired, owned(before)))).toEqual(changes);
  });

  test("planLocks: an earlier manifest without a tag keeps its lock", () => {
    expect(byName(planLocks([tag, untagged], wanted, false, owned(true)))).toEqual({ "node:22": unlocked });
    expect(byName(planLocks([tag, untagged], wanted, true, owned(true)))).toEqual({
      "node:22": locked,
      archive: locked,
    });
  });

  test.each<[string, Outputs["lock"], TargetDigests, string[]]>([
    ["our lock against changes", true, new Map([["node:22", ours]]), ["node:22"]],
    ["our lock against deletion is no obstacle", { delete: true }, new Map([["node:22", ours]]), []],
    ["a tag that others moved", true, new Map([["node:22", theirs]]), []],
    ["a target that cannot be read", true, "unreadable", ["node:22"]],
    ["no lock", undefined, new Map([["node:22", ours]]), []],
  ])("planUnlocksForMove: %s", (_, lock, held, names) => {
    const plan = { keep: [], add: [], move: [tag], conflicts: [] };
    expect(Object.keys(byName(planUnlocksForMove(plan, wanted, owned(lock), held)))).toEqual(names);
  });

  test("planUnlockForRemoval takes our parts off, and no others", () => {
    expect(byName(planUnlockForRemoval(tag, owned(true)))).toEqual({ "node:22": unlocked });
    expect(byName(planUnlockForRemoval(tag, owned({ delete: true })))).toEqual({ "node:22": { deleteEnabled: true } });
    expect(planUnlockForRemoval(other, owned(true))).toEqual([]);
    expect(planUnlockForRemoval(tag, owned(undefined))).toEqual([]);
  });
});

describe("planReferrers", () => {
  const [node, archive] = ["node:22", "archive"].map(parseTarget) as [Target, Target];
  const text = `a/b ${wanted}\nsha256-1.sig ${theirs}`;
  const state = (changes: Partial<Outputs> = {}) =>
    recorded({ targets: holding(["node:22"], ours), referrers: text, ...changes });
  const plan = (changes: Partial<Inputs> = {}, before: Outputs | undefined = state(), targets = [node, archive]) =>
    planReferrers(targets, ours, inputs({ referrers: text, ...changes }), before).map(
      ({ referrer, repositories }) => `${referrer.tag ?? referrer.artifactType} in ${repositories.join(" and ")}`,
    );
  const all = ["a/b in node and archive", "sha256-1.sig in node and archive"];

  test.each<[string, string[], string[]]>([
    ["nothing is left where all is recorded", plan({}, state(), [node]), []],
    ["a repository that is added gets all", plan(), ["a/b in archive", "sha256-1.sig in archive"]],
    [
      "without a state all are to be imported",
      planReferrers([node, archive], ours, inputs({ referrers: text }), undefined).map(
        ({ referrer, repositories }) => `${referrer.tag ?? referrer.artifactType} in ${repositories.join(" and ")}`,
      ),
      all,
    ],
    ["another image has none yet", plan({}, state({ sourceDigest: theirs })), all],
    ["another trigger looks for all", plan({ triggers: [1] }), all],
    [
      "a new one goes to all repositories",
      plan({ referrers: `${text}\nc/d ${ours}` }, state(), [node]),
      ["c/d in node"],
    ],
    [
      "a tag that moved goes to all repositories",
      plan({}, state({ referrers: `a/b ${wanted}\nsha256-1.sig ${ours}` }), [node]),
      ["sha256-1.sig in node"],
    ],
    ["nothing without referrers", planReferrers([node], ours, inputs(), undefined).map(String), []],
  ])("%s", (_, planned, expected) => {
    expect(planned).toEqual(expected);
  });
});
