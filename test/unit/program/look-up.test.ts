/** Where the digest comes from: the program, the state, or a look-up of `check` itself. */
import { registryFailure } from "../../../provider/failure/registry";
import { completeInputs } from "../../../provider/plugin/check-inputs";
import { type ParsedArguments, parseArguments } from "../../../provider/resource/arguments";
import { printSource, type Source } from "../../../provider/resource/source";
import type { Arguments, Inputs, ProgramContext } from "../../../provider/resource/state";
import { UNKNOWN } from "../../../provider/resource/unknown";
import { digestOf, registryId } from "../../support/fixtures";

const [digest, recorded, resolvedHere] = [digestOf("1"), digestOf("2"), digestOf("3")];
const args = { registry: "myregistry.azurecr.io", source: "node:22" };
const noSignatures = () => {
  throw new Error("signatures were searched");
};
const old: Partial<Inputs> = {
  ...args,
  registryId: registryId("myregistry"),
  loginServer: "myregistry.azurecr.io",
  sourceDigest: recorded,
};
const ofSource = (image: string) => [image, "", "source"].join(" ");
const noAzure = () => {
  throw new Error("Azure was called");
};

/** Completes the arguments, and returns which digest was chosen and which sources `check` looked up. */
async function complete(program: ProgramContext, state: Partial<Inputs> = old, given: Arguments = args) {
  const lookedUp: string[] = [];
  const resolve = async (source: Source) => {
    lookedUp.push(printSource(source));
    return { digest: resolvedHere };
  };
  const reader = {
    resolve,
    resolvePlatform: async () => ({}),
    pushTime: async () => undefined,
    listReferrers: async () => ({}),
    collectReferrers: async () => ({}),
    findSignatures: noSignatures,
  };
  const parsed = parseArguments({ ...given }) as ParsedArguments;
  const { inputs, failures } = await completeInputs(parsed, { ...program, now: 0 }, state, noAzure, reader);
  return { digest: inputs.sourceDigest, failures, lookedUp };
}

test("takes the digest that the program resolved", async () => {
  const result = await complete({ lookup: { source: ofSource("node:22"), digest } });
  expect(result).toEqual({ digest, failures: [], lookedUp: [] });
});

test.each<[string, ProgramContext]>([
  ["a transform changed the source", { lookup: { source: ofSource("node:23"), digest } }],
  ["a transform corrected arguments that were invalid in the program", {}],
])("resolves the digest itself when %s", async (_, program) => {
  for (const state of [old, { ...old, source: "node:21" }, {}]) {
    const { sourceDigest: _digest, registryId, loginServer } = old;
    const known = { registryId, loginServer, ...state } as Partial<Inputs>;
    const result = await complete(program, known);
    expect(result).toEqual({ digest: resolvedHere, failures: [], lookedUp: ["docker.io/library/node:22"] });
  }
});

test("resolves the digest with the credentials that a transform added", async () => {
  const failure = registryFailure.accessDenied("source", "docker.io/library/node:22", "an anonymous client");
  const source = { image: "node:22", credentials: { username: "me", password: "secret" } };
  const withCredentials = (value: boolean) => ({
    lookup: { source: ofSource("node:22"), withCredentials: value, failure },
  });
  const given = { ...args, source };
  expect((await complete(withCredentials(false), old, given)).digest).toBe(resolvedHere);
  expect((await complete(withCredentials(true), old, given)).failures).toEqual([failure]);
});

test("keeps the recorded digest with the source that ignoreChanges keeps", async () => {
  const program = { keepsSource: true, lookup: { source: ofSource("node:23"), digest } };
  expect(await complete(program)).toEqual({ digest: recorded, failures: [], lookedUp: [] });
});

test("looks nothing up while the source is unknown", async () => {
  const result = await complete({}, old, { ...args, source: UNKNOWN });
  expect(result).toEqual({ digest: UNKNOWN, failures: [], lookedUp: [] });
});
