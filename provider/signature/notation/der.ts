/** Reads DER, the encoding of certificates and timestamps, with the strict parser of @sigstore/core. */
import type { ASN1Obj } from "@sigstore/core";

export type Der = ASN1Obj;

/** Hash algorithms that the Notary Project permits, by the object identifiers of NIST. */
export const HASHES: Readonly<Record<string, Hash>> = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};
export type Hash = "sha256" | "sha384" | "sha512";

/** Parses one DER value that fills the bytes. Throws when they are malformed. */
export function parseDer(bytes: Uint8Array): Der {
  return core().ASN1Obj.parseBuffer(Buffer.from(bytes));
}

/** The fields of a SEQUENCE, in their order. What does not match throws. */
export class Fields {
  readonly #rest: Der[];

  constructor(sequence: Der) {
    this.#rest = [...items(sequence, SEQUENCE)];
  }

  next(): Der {
    const field = this.#rest.shift();
    if (field === undefined) throw new Error("a field is missing");
    return field;
  }

  /** The next field, if it has the context-specific tag. */
  tagged(tag: number): Der | undefined {
    return this.optional((field) => field.tag.isContextSpecific(tag));
  }

  optional(isWanted: (field: Der) => boolean): Der | undefined {
    const [field] = this.#rest;
    return field !== undefined && isWanted(field) ? this.next() : undefined;
  }
}

const SEQUENCE = 0x10;
const SET = 0x11;

export function isSequence({ tag }: Der): boolean {
  return tag.isUniversal() && tag.number === SEQUENCE;
}

function items(list: Der, tag: number): readonly Der[] {
  if (!list.tag.isUniversal() || list.tag.number !== tag || !list.tag.constructed) throw new Error("a list is missing");
  return list.subs;
}

/** The elements of a SEQUENCE OF. */
export function listOf(sequence: Der): readonly Der[] {
  return items(sequence, SEQUENCE);
}

/** The elements of a SET OF. */
export function setOf(set: Der): readonly Der[] {
  return items(set, SET);
}

/** The only element of a list. */
export function only<T>(list: readonly T[], what: string): T {
  const [first] = list;
  if (first === undefined || list.length !== 1) throw new Error(`there must be exactly one ${what}`);
  return first;
}

/** What an explicit tag contains. */
export function explicit(tagged: Der): Der {
  return only(tagged.subs, "value in a tag");
}

/** The content of an OCTET STRING. */
export function octets({ tag, value }: Der): Buffer {
  if (!tag.isOctetString() || tag.constructed) throw new Error("an OCTET STRING is missing");
  return value;
}

/** The object identifier that an AlgorithmIdentifier begins with. */
export function algorithmOf(identifier: Der): string {
  return new Fields(identifier).next().toOID();
}

/** Loaded only for a signature, because loading it takes time. */
function core(): typeof import("@sigstore/core") {
  return require("@sigstore/core");
}
