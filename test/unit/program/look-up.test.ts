import { completeInputs } from "../../../provider/plugin/check-inputs";
import { type ParsedArguments, parseArguments } from "../../../provider/resource/arguments";
import type { Arguments, Inputs } from "../../../provider/resource/state";
import { digestOf, registryId } from "../../support/fixtures";

const digest = digestOf("1");
const recorded = digestOf("2");
const args: Arguments = { registry: "myregistry.azurecr.io", source: "node:22" };
const old: Partial<Inputs> = {
  ...args,
  registryId: registryId("myregistry"),
  loginServer: "myregistry.azurecr.io",
  sourceDigest: recorded,
};
const parsed = parseArguments({ ...args }) as ParsedArguments;
const noAzure = () => {
  throw new Error("Azure was called");
};
const of = (image: string) => [image, "", "source"].join(" ");

test("imports the digest that the program resolved", async () => {
  const { inputs, failures } = await completeInputs(
    parsed,
    { lookup: { source: of("node:22"), digest } },
    old,
    noAzure,
  );
  expect([inputs.sourceDigest, failures]).toEqual([digest, []]);
});

test("ignores the digest of another source and keeps the recorded one", async () => {
  const { inputs, failures } = await completeInputs(
    parsed,
    { lookup: { source: of("node:23"), digest } },
    old,
    noAzure,
  );
  expect([inputs.sourceDigest, failures]).toEqual([recorded, []]);
});

test.each([
  ["a digest of another source, and no recorded one", { lookup: { source: of("node:23"), digest } }],
  ["no look-up", {}],
])("fails instead of importing by tag: %s", async (_, program) => {
  const { failures } = await completeInputs(parsed, program, { ...old, source: "node:21" }, noAzure);
  expect(failures.map(({ code }) => code)).toEqual(["SOURCE_UNRESOLVED"]);
});
