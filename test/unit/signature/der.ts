/** Writes DER, for certificates and timestamps that no library would make. */

export function tlv(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const size = content.length.toString(16);
  const bytes = Buffer.from(size.padStart(size.length + (size.length % 2), "0"), "hex");
  const length = content.length < 0x80 ? bytes : Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
  return Buffer.concat([Buffer.from([tag]), length, content]);
}

export const sequence = (...items: readonly Buffer[]) => tlv(0x30, ...items);
export const set = (...items: readonly Buffer[]) => tlv(0x31, ...items);
export const octets = (content: Buffer) => tlv(0x04, content);
export const boolean = (value: boolean) => tlv(0x01, Buffer.from([value ? 0xff : 0]));
export const utf8 = (text: string) => tlv(0x0c, Buffer.from(text));
/** A constructed context-specific tag, as explicit tags and implicit tags of lists are. */
export const tagged = (tag: number, ...contents: readonly Buffer[]) => tlv(0xa0 | tag, ...contents);

/** A non-negative INTEGER, or one with another tag. */
export function integer(value: number, tag = 0x02): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
  return tlv(tag, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const base128 = (arc: number): number[] => {
    const digits = [arc & 0x7f];
    for (let high = arc >>> 7; high > 0; high >>>= 7) digits.unshift((high & 0x7f) | 0x80);
    return digits;
  };
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

export function bitString(content: Buffer, unusedBits = 0): Buffer {
  return tlv(0x03, Buffer.from([unusedBits]), content);
}

/** A BIT STRING with these bits set, the most significant one being 0, without trailing zeros. */
export function bits(...positions: readonly number[]): Buffer {
  const last = Math.max(...positions);
  const bytes = Buffer.alloc((last >> 3) + 1);
  for (const position of positions) bytes[position >> 3] = (bytes[position >> 3] ?? 0) | (0x80 >> (position & 7));
  return bitString(bytes, 7 - (last & 7));
}

export function generalizedTime(time: Date): Buffer {
  return tlv(0x18, Buffer.from(time.toISOString().replace(/[-:T]|\.\d+/g, "")));
}
