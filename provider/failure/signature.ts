/** Failures of `verify`: the source carries no signature that counts. */
import { type Failure, withDetail } from "./failure";

/** Whose signatures are required. */
export type SignatureTool = "cosign" | "Notation";

const ABOUT = { argument: "verify", side: "source" } as const;

export const signatureFailure = {
  /** @param searched - Where a signature could be: "its referrers", "the tag sha256-….sig". */
  missing: (image: string, tool: SignatureTool, searched: readonly string[]): Failure => ({
    ...ABOUT,
    code: "SIGNATURE_MISSING",
    object: image,
    reason: `has no ${tool} signature (searched ${searched.join(", ")})`,
    hints: [
      "If the image was copied into this registry, copy its signatures, too",
      `To import it without a signature, remove verify.${tool.toLowerCase()}`,
    ],
  }),
  /** @param found - Each signature with the reason why it does not count, a predicate: "signs another image". */
  rejected: (
    image: string,
    tool: SignatureTool,
    found: readonly { readonly digest: string; readonly rejected: string }[],
  ): Failure => ({
    ...ABOUT,
    code: "SIGNATURE_REJECTED",
    object: image,
    reason: `has no valid ${tool} signature: ${found.map(({ digest, rejected }) => `${digest} ${rejected}`).join("; ")}`,
    hints: [`Compare verify.${tool.toLowerCase()} with what the publisher of the image says about its signatures`],
  }),
  /** @param cause - Why the registry did not respond with them. */
  unreadable: (image: string, tool: SignatureTool, { object, reason, hints, detail }: Failure): Failure => ({
    ...ABOUT,
    code: "SIGNATURE_UNREADABLE",
    object: `the ${tool} signatures of ${image}`,
    reason: `could not be read: ${object} ${reason}`,
    ...(hints !== undefined && { hints }),
    ...withDetail(detail),
  }),
  /** @param read - How many of the manifests that refer to the image were read. */
  tooMany: (manifest: string, count: number, read: number): Failure => ({
    ...ABOUT,
    code: "SIGNATURE_UNREADABLE",
    object: manifest,
    reason: `is one of ${count} manifests that refer to the image, of which ${read} were read`,
    hints: ["Ask the publisher of the image to remove what is not needed"],
  }),
} as const;
