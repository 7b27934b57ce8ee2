/** Encodes ASN.1 as DER: the little that certificates and timestamps need. */

/** Tag, length and content: https://letsencrypt.org/docs/a-warm-welcome-to-asn1-and-der/ */
export function tlv(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length]), bytes, content]);
}

export const sequence = (...members: readonly Buffer[]) => tlv(0x30, ...members);
export const set = (...members: readonly Buffer[]) => tlv(0x31, ...members);
export const octets = (content: Buffer) => tlv(0x04, content);
export const bits = (content: Buffer, unused = 0) => tlv(0x03, Buffer.from([unused]), content);
export const boolean = (value: boolean) => tlv(0x01, Buffer.from([value ? 0xff : 0]));
export const utf8 = (text: string) => tlv(0x0c, Buffer.from(text));
/** A small number, or the bytes of a larger one, which is positive. */
export function integer(value: number | Buffer): Buffer {
  const all = Buffer.isBuffer(value) ? value : Buffer.from([value]);
  // DER has no superfluous zeros, with which random bytes may begin.
  const start = all.findIndex((byte) => byte !== 0);
  const bytes = start < 0 ? Buffer.from([0]) : all.subarray(start);
  return tlv(0x02, ...((bytes[0] ?? 0) < 0x80 ? [] : [Buffer.from([0])]), bytes);
}

/** Within a context-specific tag: constructed, or not. */
export const explicit = (number: number, ...members: readonly Buffer[]) => tlv(0xa0 | number, ...members);
export const implicit = (number: number, content: Buffer) => tlv(0x80 | number, content);
/** For dates before 2050 in certificates: https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5 */
export const utcTime = (date: Date) =>
  tlv(
    0x17,
    Buffer.from(
      date
        .toISOString()
        .slice(2)
        .replace(/[-:T]|\.\d+/g, ""),
    ),
  );
export const generalizedTime = (date: Date) => tlv(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, "")));

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...arcs] = dotted.split(".").map(Number);
  return tlv(0x06, Buffer.from([40 * first + second, ...arcs.flatMap(base128)]));
}

function base128(arc: number): number[] {
  const digits = [arc & 0x7f];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 | (rest & 0x7f));
  return digits;
}
