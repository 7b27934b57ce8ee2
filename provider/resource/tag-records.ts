/**
 * What the inputs and the state of an `ImportedRepository` say of each tag.
 *
 * One text for each kind of fact, sorted, a line for each tag: the engine shows a text line by line, only what changed with what
 * stands around it, where it prints all of a map. Each line ends with a line break, also the last one, which would otherwise be
 * shown as changed when a tag is added after it.
 */
import { type Digest, isDigest } from "../reference/digest";

/** What is known of one tag of the target repository. */
export interface TagRecord {
  /** The digest to import, or that was imported. */
  readonly digest: Digest;
  /** What the target holds, where a refresh found something else than `digest`; `undefined` when it has no such tag. */
  readonly held: Digest | undefined;
  /** With `cooldown`: the digest that waits, and since when. */
  readonly candidate?: string;
  /** With `referrers`: what refers to the image, and the fingerprint of it. */
  readonly referrers?: string;
  readonly referrersFingerprint?: string;
  /** With `verify`: the digest of the signature that counts, and who made it. */
  readonly signature?: string;
  readonly signedBy?: string;
  /** Whether a change of `triggers` asked for a new import that has not been made. In the state only. */
  readonly isPending?: true;
}

/** By tag, in no particular order. */
export type TagRecords = ReadonlyMap<string, TagRecord>;

/** {@link TagRecords} as texts. All but `tags` are absent where they would be empty. */
export interface TagTexts {
  /** `tag digest`: what the target should hold, or does. */
  readonly tags: string;
  /** `tag digest`: what was imported, of tags that hold something else. In the state only. */
  readonly imported?: string;
  /** `tag digest since time` */
  readonly candidates?: string;
  /** `tag artifactType digest`, or `tag cosignTag digest` */
  readonly referrers?: string;
  /** `tag fingerprint` */
  readonly referrersFingerprints?: string;
  /** `tag digest signer` */
  readonly signatures?: string;
  /** `tag triggers`: the tags that are not imported again yet. In the state only. */
  readonly pending?: string;
}

/** Writes records as texts. */
export function printTagRecords(records: TagRecords): TagTexts {
  const all = [...records].sort(([one], [other]) => compareText(one, other));
  const print = (linesOf: (record: TagRecord) => readonly string[]): string =>
    all.flatMap(([tag, record]) => linesOf(record).map((line) => `${tag} ${line}\n`)).join("");
  const texts = {
    imported: print(({ digest, held }) => (held === digest ? [] : [digest])),
    candidates: print(({ candidate }) => list(candidate)),
    referrers: print(({ referrers }) => (referrers ? referrers.split("\n") : [])),
    referrersFingerprints: print(({ referrersFingerprint }) => list(referrersFingerprint)),
    signatures: print(({ signature, signedBy }) =>
      signature && signedBy ? [`${signature} ${oneLine(signedBy)}`] : [],
    ),
    pending: print(({ isPending }) => (isPending ? ["triggers"] : [])),
  };
  return {
    tags: print(({ held }) => list(held)),
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== "")),
  };
}

/** Reads texts. */
export function parseTagRecords(texts: Partial<TagTexts>): Map<string, TagRecord> {
  const held = readLines(texts.tags);
  const imported = readLines(texts.imported);
  const candidates = readLines(texts.candidates);
  const referrers = readLines(texts.referrers);
  const fingerprints = readLines(texts.referrersFingerprints);
  const signatures = readLines(texts.signatures);
  const pending = readLines(texts.pending);
  const records = new Map<string, TagRecord>();
  for (const tag of new Set([...held.keys(), ...imported.keys()])) {
    const holds = toDigest(held.get(tag));
    const digest = toDigest(imported.get(tag)) ?? holds;
    if (digest === undefined) continue;
    const [candidate] = candidates.get(tag) ?? [];
    const [referrersFingerprint] = fingerprints.get(tag) ?? [];
    const [, signature, signedBy] = /^(sha\S+(?: and sha\S+)*) (.*)$/.exec(signatures.get(tag)?.[0] ?? "") ?? [];
    const referring = referrers.get(tag) ?? (referrersFingerprint === undefined ? undefined : []);
    records.set(tag, {
      digest,
      held: holds,
      ...(candidate !== undefined && { candidate }),
      ...(referring && { referrers: referring.join("\n") }),
      ...(referrersFingerprint !== undefined && { referrersFingerprint }),
      ...(signature && signedBy && { signature, signedBy }),
      ...(pending.has(tag) && { isPending: true }),
    });
  }
  return records;
}

/** The tags and digests of a text `tags`, in its order. */
export function parseTags(text: string | undefined): Map<string, string> {
  return new Map([...readLines(text)].map(([tag, [digest = ""]]) => [tag, digest]));
}

/** The lines of a text by their first word. */
function readLines(text = ""): Map<string, string[]> {
  const lines = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const space = line.indexOf(" ");
    const tag = line.slice(0, space);
    const rest = lines.get(tag);
    if (rest) rest.push(line.slice(space + 1));
    else lines.set(tag, [line.slice(space + 1)]);
  }
  return lines;
}

function toDigest(lines: readonly string[] | undefined): Digest | undefined {
  const [text] = lines ?? [];
  return text !== undefined && isDigest(text) ? text : undefined;
}

function list(text: string | undefined): string[] {
  return text === undefined ? [] : [text];
}

/** The name in a certificate is what its owner wrote. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}

/** By code unit, so that the order is the same on every machine. */
function compareText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
