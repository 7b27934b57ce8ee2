/** The decision about all candidates of an image. */
import { ImportError } from "../../../provider/failure/failure";
import { registryFailure } from "../../../provider/failure/registry";
import type { Verdict } from "../../../provider/signature/candidate";
import { requireSignature } from "../../../provider/signature/require-signature";
import { digestOf } from "../../support/fixtures";

const IMAGE = `ghcr.io/owner/app@${digestOf("9")}`;
const bad: Verdict = { rejected: "signs another image" };
const throttled = new ImportError(registryFailure.throttled("source", "ghcr.io"));

/** Decides from the outcomes of candidates, whose digests are repeated digits; `verified` has those that were asked for. */
function decide(outcomes: readonly (Verdict | Error)[]) {
  const verified: string[] = [];
  const candidates = outcomes.map((outcome, index) => ({ digest: digestOf(String(index)), outcome }));
  const decision = requireSignature(IMAGE, "cosign", candidates, ["its referrers"], async ({ digest, outcome }) => {
    verified.push(digest);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  });
  return { decision, verified };
}

test("the first signature that counts is the one, and no further one is verified", async () => {
  const { decision, verified } = decide([bad, { signedBy: "a" }, { signedBy: "b" }]);
  expect(await decision).toEqual({ signature: digestOf("1"), signedBy: "a" });
  expect(verified).toEqual([digestOf("0"), digestOf("1")]);
});

test("a signature that counts is enough beside one that cannot be read", async () => {
  expect(await decide([throttled, { signedBy: "a" }]).decision).toEqual({ signature: digestOf("1"), signedBy: "a" });
});

test("without a candidate the signature is missing", async () => {
  await expect(decide([]).decision).rejects.toMatchObject({
    code: "SIGNATURE_MISSING",
    message: expect.stringContaining(`source: ${IMAGE} has no cosign signature (searched its referrers)`),
  });
});

test("each candidate that does not count is named with its reason", async () => {
  await expect(decide([bad, { rejected: "has no layers" }]).decision).rejects.toMatchObject({
    code: "SIGNATURE_REJECTED",
    message: expect.stringContaining(
      `has no valid cosign signature: ${digestOf("0")} signs another image; ${digestOf("1")} has no layers`,
    ),
  });
});

test("a candidate that cannot be read is never an unsigned image", async () => {
  await expect(decide([bad, throttled, bad]).decision).rejects.toMatchObject({
    code: "SIGNATURE_UNREADABLE",
    failure: {
      ...throttled.failure,
      code: "SIGNATURE_UNREADABLE",
      object: expect.any(String),
      reason: expect.stringContaining("ghcr.io is rate limiting"),
    },
  });
});

test("a fault of the program is passed on", async () => {
  const fault = new TypeError("x is undefined");
  await expect(decide([throttled, fault]).decision).rejects.toBe(fault);
});
