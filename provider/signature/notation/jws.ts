/**
 * Envelopes in JWS: https://github.com/notaryproject/specifications/blob/main/specs/signature-envelope-jws.md
 */
import { isObject } from "../../json";
import { parsing } from "../rejection";
import { parseStrictJson } from "../strict-json";
import { type Envelope, HEADER, TIME_HEADERS } from "./envelope";
import type { Algorithm } from "./key";

export const JWS = "application/jose+json";

const ALGORITHMS: readonly unknown[] = ["PS256", "PS384", "PS512", "ES256", "ES384", "ES512"] satisfies Algorithm[];
const MEMBERS = ["payload", "protected", "header", "signature"];

export function openJws(bytes: Buffer): Envelope {
  return parsing("a JWS envelope", () => {
    const envelope = parseObject(bytes);
    const extra = Object.keys(envelope).find((member) => !MEMBERS.includes(member));
    if (extra !== undefined) throw new Error(`the member ${extra} is not permitted`);
    const { payload, protected: protectedText, header: unprotected, signature } = envelope;
    if (!isObject(unprotected)) throw new Error("the unprotected header is missing");

    const { alg, cty, crit, ...others } = parseObject(decode(protectedText, "base64url"));
    const timestamp = unprotected[HEADER.timestamp];
    return {
      algorithm: ALGORITHMS.includes(alg) ? (alg as Algorithm) : undefined,
      contentType: cty,
      critical: strings(crit),
      headers: new Map(Object.entries(others).map(([name, value]) => [name, readHeader(name, value)])),
      payload: decode(payload, "base64url"),
      signedBytes: Buffer.from(`${protectedText}.${payload}`),
      signature: decode(signature, "base64url"),
      certificates: strings(unprotected.x5c).map((certificate) => decode(certificate, "base64")),
      timestamp: timestamp === undefined ? undefined : decode(timestamp, "base64"),
    };
  });
}

function parseObject(json: Buffer): Readonly<Record<string, unknown>> {
  const value = parseStrictJson(json);
  if (!isObject(value)) throw new Error("it is not a JSON object, or repeats a key");
  return value;
}

/** Decodes base64 and rejects what Buffer.from tolerates: other characters, wrong padding, superfluous bits. */
function decode(text: unknown, encoding: "base64" | "base64url"): Buffer {
  const bytes = Buffer.from(String(text), encoding);
  if (typeof text !== "string" || bytes.toString(encoding) !== text) throw new Error(`a value is not ${encoding}`);
  return bytes;
}

function strings(value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) throw new Error("a list is missing");
  return value;
}

/** RFC 3339, with or without fractions of a second. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function readHeader(name: string, value: unknown): unknown {
  if (!TIME_HEADERS.includes(name)) return value;
  const time = new Date(typeof value === "string" && TIME.test(value) ? value : Number.NaN);
  if (Number.isNaN(time.getTime())) throw new Error(`${name} is not a time`);
  return time;
}
