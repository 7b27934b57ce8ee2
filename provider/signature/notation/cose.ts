/**
 * Envelopes in COSE: https://github.com/notaryproject/specifications/blob/main/specs/signature-envelope-cose.md
 */
import type { DecodeOptions } from "cbor2" with { "resolution-mode": "import" };
import { parsing } from "../rejection";
import { type Envelope, HEADER, TIME_HEADERS } from "./envelope";
import type { Algorithm } from "./key";

export const COSE = "application/cose";

/** https://www.rfc-editor.org/rfc/rfc9052#section-2 */
const SIGN1_TAG = 18;
/** https://www.iana.org/assignments/cose/cose.xhtml#header-parameters */
const LABEL = { algorithm: 1, critical: 2, contentType: 3, certificates: 33 };
/** https://www.iana.org/assignments/cose/cose.xhtml#algorithms */
const ALGORITHMS: ReadonlyMap<unknown, Algorithm> = new Map([
  [-37, "PS256"],
  [-38, "PS384"],
  [-39, "PS512"],
  [-7, "ES256"],
  [-35, "ES384"],
  [-36, "ES512"],
]);

export function openCose(bytes: Buffer): Envelope {
  return parsing("a COSE envelope", () => {
    const { decode, encode, Tag } = cbor();
    const message = decode(bytes, STRICT);
    if (!(message instanceof Tag) || message.tag !== SIGN1_TAG) throw new Error("it is not tagged as COSE_Sign1");
    if (!Array.isArray(message.contents) || message.contents.length !== 4)
      throw new Error("it does not have four parts");
    const [protectedBytes, unprotected, payload, signature] = message.contents as unknown[];
    const headers = map(decode(byteString(protectedBytes), STRICT));
    const others = map(unprotected);
    if ([...others.keys()].some((label) => headers.has(label))) throw new Error("a header occurs twice");

    const timestamp = others.get(HEADER.timestamp);
    return {
      algorithm: ALGORITHMS.get(headers.get(LABEL.algorithm)),
      contentType: headers.get(LABEL.contentType),
      critical: list(headers.get(LABEL.critical)).map(labelText),
      headers: new Map([...headers].map(([label, value]) => [labelText(label), readHeader(label, value)])),
      payload: byteString(payload),
      signedBytes: Buffer.from(encode(toBeSigned(byteString(protectedBytes), byteString(payload)))),
      signature: byteString(signature),
      certificates: list(others.get(LABEL.certificates)).map(byteString),
      timestamp: timestamp === undefined ? undefined : byteString(timestamp),
    };
  });
}

/** One encoding for each value, as RFC 9052 wants for what is signed, and small enough to be no burden. */
const STRICT: DecodeOptions = {
  maxDepth: 8,
  preferMap: true,
  ignoreGlobalTags: true,
  rejectDuplicateKeys: true,
  rejectStreaming: true,
  requirePreferred: true,
};

/** https://www.rfc-editor.org/rfc/rfc9052#section-4.4 */
function toBeSigned(protectedBytes: Buffer, payload: Buffer): unknown[] {
  // cbor2 would encode a Buffer as the object that its toJSON() returns.
  return ["Signature1", new Uint8Array(protectedBytes), new Uint8Array(0), new Uint8Array(payload)];
}

function byteString(value: unknown): Buffer {
  if (!(value instanceof Uint8Array)) throw new Error("a byte string is missing");
  return Buffer.from(value);
}

function map(value: unknown): ReadonlyMap<unknown, unknown> {
  if (!(value instanceof Map)) throw new Error("a map is missing");
  return value;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error("a list is missing");
  return value;
}

/** https://www.rfc-editor.org/rfc/rfc9052#section-1.5 */
function labelText(label: unknown): string {
  if (typeof label !== "string" && typeof label !== "number") throw new Error("a label is neither a text nor a number");
  return String(label);
}

/** Times are seconds since 1970 with the tag 1: https://www.rfc-editor.org/rfc/rfc8949#section-3.4.2 */
function readHeader(label: unknown, value: unknown): unknown {
  if (!TIME_HEADERS.includes(label as string)) return value;
  const seconds = value instanceof cbor().Tag && value.tag === 1 ? value.contents : undefined;
  const time = new Date(typeof seconds === "number" ? seconds * 1000 : Number.NaN);
  if (Number.isNaN(time.getTime())) throw new Error(`${label} is not a time`);
  return time;
}

/** Loaded only for an envelope in COSE. */
function cbor(): typeof import("cbor2", { with: { "resolution-mode": "import" }}) {
  return require("cbor2");
}
