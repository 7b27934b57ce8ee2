/** Envelopes with a byte changed, cut off or inserted: none makes the verifier throw, or accept what was not signed. */
import fc from "fast-check";
import { verifyNotation } from "../../../provider/signature/notation";
import { candidateOf, IMAGE, type Signed, signCose, signJws } from "./notation-envelopes";
import { timestampOf } from "./notation-timestamps";
import { chain, NOW, policyOf, tsa, tsaRoot } from "./notation-world";

const policy = policyOf({ tsa: [tsaRoot.pem] });
const timestamp = (signature: Buffer) => timestampOf(signature, { tsa });
const signedBy = "C=US, ST=WA, O=Wabbit Networks, CN=signer";

const change = fc.record({
  at: fc.nat(20_000),
  byte: fc.integer({ min: 0, max: 255 }),
  kind: fc.constantFrom("set", "cut", "insert"),
});

function changed({ mediaType, bytes }: Signed, { at, byte, kind }: { at: number; byte: number; kind: string }): Signed {
  const index = at % bytes.length;
  const rest = bytes.subarray(kind === "insert" ? index : index + 1);
  const middle = Buffer.from(kind === "cut" ? [] : [byte]);
  return { mediaType, bytes: Buffer.concat([bytes.subarray(0, index), middle, rest]) };
}

test.each([
  ["JWS", signJws({ chain, timestamp })],
  ["COSE", signCose({ chain, timestamp })],
])("%s", async (_, signed) => {
  const verify = (one: Signed) => verifyNotation(IMAGE, candidateOf(one), policy, NOW);
  expect(await verify(signed)).toEqual({ signedBy });
  await fc.assert(
    fc.asyncProperty(change, async (how) => {
      // Some bytes are not signed, such as the version of a timestamp; with them, the signer is the same.
      const verdict = await verify(changed(signed, how));
      expect("rejected" in verdict ? verdict.rejected : verdict.signedBy).toMatch(
        /^(has|is|names|was|C=US, ST=WA, O=Wabbit Networks, CN=signer$)/,
      );
    }),
    { numRuns: 1000 },
  );
});
