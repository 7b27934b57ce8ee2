/** What `check` makes of a look-up that failed. */
import type { Azure } from "../../../provider/azure/azure";
import { type Failure, formatFailure } from "../../../provider/failure/failure";
import { registryFailure } from "../../../provider/failure/registry";
import { completeInputs } from "../../../provider/plugin/check-inputs";
import { type ParsedArguments, parseArguments } from "../../../provider/resource/arguments";
import { sourceKey } from "../../../provider/resource/source";
import type { Arguments, Inputs } from "../../../provider/resource/state";
import { digestOf, registryId } from "../../support/fixtures";

const id = registryId("myregistry");
const loginServer = "myregistry.azurecr.io";
const digest = digestOf("1");
const args = { registry: id, source: "docker.io/library/node:22" };
const noSignatures = () => {
  throw new Error("signatures were searched");
};
const old: Partial<Inputs> = { ...args, registryId: id, loginServer, sourceDigest: digest };
const azure = () =>
  ({ findRegistry: async () => ({ id, loginServer }) }) as unknown as Pick<Azure, "findRegistry"> as Azure;

/** What a check says when the look-up of the source failed in the program. */
async function checked(failure: Failure, given: Arguments, recorded: Partial<Inputs>) {
  const { inputs, failures, warnings } = await completeInputs(
    parseArguments({ ...given }) as ParsedArguments,
    { lookup: { source: sourceKey(given), failure }, now: 0 },
    recorded,
    azure,
    {
      resolve: async () => ({}),
      resolvePlatform: async () => ({}),
      pushTime: async () => undefined,
      listReferrers: async () => ({}),
      collectReferrers: async () => ({}),
      findSignatures: noSignatures,
    },
  );
  return { inputs, errors: failures.map(formatFailure), warnings: warnings.map(formatFailure) };
}

const outages: [string, Failure][] = [
  ["is busy", registryFailure.throttled("source", "docker.io", 3_600)],
  ["cannot be reached", registryFailure.unreachable("source", "docker.io", "connection refused (ECONNREFUSED)")],
  ["is out of order", registryFailure.unavailable("source", "docker.io", "HTTP 503")],
];
const keep = { onSourceUnavailable: "keep" } as const;

describe.each(outages)("a source that %s", (_, failure) => {
  test('with "keep" and a record is a warning of one line that names the recorded digest', async () => {
    const { inputs, errors, warnings } = await checked(failure, { ...args, ...keep }, old);
    expect(errors).toEqual([]);
    expect(warnings).toEqual([
      `source: docker.io ${failure.reason}; continuing with the recorded digest ${digest} [${failure.code}]`,
    ]);
    expect(inputs.sourceDigest).toBe(digest);
  });

  test.each<[string, Partial<Inputs>, string]>([
    ["nothing is recorded", {}, "no digest is recorded yet"],
    [
      "another source's is",
      { ...old, source: "docker.io/library/node:20" },
      "the recorded digest is of another source",
    ],
  ])('with "keep" when %s says why it has no effect', async (_, recorded, why) => {
    const { errors, warnings } = await checked(failure, { ...args, ...keep }, recorded);
    expect(warnings).toEqual([]);
    expect(errors).toEqual([
      `${formatFailure(failure)}\n  Hint: Note that onSourceUnavailable: "keep" has no effect: ${why}`,
    ]);
  });

  test('without "keep" proposes it only where a digest of this source is recorded', async () => {
    const { errors } = await checked(failure, args, old);
    expect(errors).toEqual([
      expect.stringMatching(/\n {2}Hint: Set onSourceUnavailable: "keep" to continue with the recorded digest$/),
    ]);
    for (const recorded of [{}, { ...old, source: "docker.io/library/node:20" }]) {
      expect((await checked(failure, args, recorded)).errors).toEqual([formatFailure(failure)]);
    }
  });
});

test("an answer that is no is not kept over, and keeping is not proposed", async () => {
  const failure = registryFailure.notFound("source", "docker.io/library/node:22");
  for (const given of [args, { ...args, ...keep }]) {
    const { errors, warnings } = await checked(failure, given, old);
    expect({ errors, warnings }).toEqual({ errors: [formatFailure(failure)], warnings: [] });
  }
});
