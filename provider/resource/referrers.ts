/** What refers to an image: as the program asks for it, and as the state records it. */
import { type Digest, isDigest } from "../reference/digest";

/** The long form of `referrers`. */
export interface ReferrersArguments {
  readonly artifactTypes?: readonly string[];
  readonly tags?: boolean;
}

/** What the program wants of what refers to an image. */
export interface ReferrersPolicy {
  /** Artifact types, exact or with a `*` at the end; without them all are wanted. */
  readonly artifactTypes?: readonly string[];
  /** Whether what cosign keeps under tags is wanted as well. */
  readonly tags: boolean;
}

/** One manifest that refers to an image. */
export interface Referrer {
  readonly digest: Digest;
  /** What kind of artifact it is; of no interest for what is found by a tag. */
  readonly artifactType?: string;
  /** The tag made from the image's digest by which cosign finds it. */
  readonly tag?: string;
}

/** The policy of `referrers`; `undefined` when nothing is wanted. */
export function referrersPolicy(
  referrers: boolean | ReferrersArguments | null | undefined,
): ReferrersPolicy | undefined {
  if (referrers === true) return { tags: true };
  if (typeof referrers !== "object" || referrers === null) return undefined;
  const { artifactTypes, tags } = referrers;
  return { tags: tags ?? true, ...(artifactTypes && { artifactTypes }) };
}

/**
 * Spells referrers as the state records them: sorted lines `artifactType digest`, or `tag digest`. One text, because the engine
 * shows its changes line by line, in preview too.
 */
export function printReferrers(referrers: readonly Referrer[]): string {
  const lines = referrers.map(({ artifactType, digest, tag }) => `${tag ?? printType(artifactType)} ${digest}`);
  return [...new Set(lines)].sort().join("\n");
}

/** Reads recorded referrers. */
export function parseReferrers(text: string | undefined): Referrer[] {
  return (text ?? "").split("\n").flatMap((line) => {
    const [name = "", digest = ""] = line.split(" ");
    if (!isDigest(digest)) return [];
    return [name.includes("/") ? { digest, artifactType: name } : { digest, tag: name }];
  });
}

/** Adds what was found to what is recorded, which stays when it vanishes upstream. A tag holds only what was found last. */
export function mergeReferrers(recorded: string | undefined, found: readonly Referrer[]): string {
  const all = [...parseReferrers(recorded), ...found];
  return printReferrers([...new Map(all.map((one) => [one.tag ?? one.digest, one])).values()]);
}

/** The referrers of one text that another one does not have. */
export function missingReferrers(wanted: string | undefined, recorded: string | undefined): Referrer[] {
  const known = new Set(parseReferrers(recorded).map(referrerKey));
  return parseReferrers(wanted).filter((one) => !known.has(referrerKey(one)));
}

/** Identifies what is to be imported: a digest, under a tag or not. */
export function referrerKey({ tag = "", digest }: Referrer): string {
  return `${tag} ${digest}`;
}

/** The type of an artifact is what its publisher says; only a media type is shown and recorded. */
function printType(artifactType = ""): string {
  return /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/.test(artifactType) ? artifactType : "unknown/unknown";
}
