import { completeInputs } from "../../../provider/plugin/check-inputs";
import type { Digest } from "../../../provider/reference/digest";
import type { Arguments, Inputs } from "../../../provider/resource/state";

const digest = `sha256:${"1".repeat(64)}` as Digest;
const recorded = `sha256:${"2".repeat(64)}` as Digest;
const args: Arguments = { registry: "myregistry.azurecr.io", source: "node:22" };
const old: Partial<Inputs> = {
  ...args,
  registryId: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry",
  loginServer: "myregistry.azurecr.io",
  sourceDigest: recorded,
};
const nobody = () => {
  throw new Error("Azure was asked");
};
const of = (image: string) => [image, "", "source"].join(" ");

test("a digest that was looked up for the source is taken", async () => {
  const { inputs, failures } = await completeInputs(args, { lookup: { source: of("node:22"), digest } }, old, nobody);
  expect([inputs.sourceDigest, failures]).toEqual([digest, []]);
});

test("a digest of another source is never taken: the recorded one stays with the recorded source", async () => {
  const { inputs, failures } = await completeInputs(args, { lookup: { source: of("node:23"), digest } }, old, nobody);
  expect([inputs.sourceDigest, failures]).toEqual([recorded, []]);
});

test.each([
  ["a digest of another source, and nothing on record", { lookup: { source: of("node:23"), digest } }],
  ["no look-up at all", {}],
])("%s is a failure, not an import by tag", async (_, program) => {
  const { failures } = await completeInputs(args, program, { ...old, source: "node:21" }, nobody);
  expect(failures.map(({ code }) => code)).toEqual(["SOURCE_UNRESOLVED"]);
});
