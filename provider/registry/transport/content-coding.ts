/**
 * Undoes the content codings of a body. Requests ask for none, but a proxy or a storage host may compress nevertheless, and a
 * digest is that of the bytes without any: https://www.rfc-editor.org/rfc/rfc9110#section-8.4
 */
import zlib from "node:zlib";
import { UnusableResponse } from "./unusable-response";

type Decode = (body: Buffer, options: zlib.ZlibOptions & zlib.BrotliOptions) => Buffer;

const DECODERS: Readonly<Record<string, Decode>> = {
  identity: (body) => body,
  gzip: zlib.gunzipSync,
  "x-gzip": zlib.gunzipSync,
  deflate: zlib.inflateSync,
  br: zlib.brotliDecompressSync,
};

/** More are not in use, and each one costs memory and time. */
const MAX_CODINGS = 2;

/** The body without the codings of its `Content-Encoding` header, at most `maxBytes` long. */
export function decodeBody(body: Buffer, contentEncoding: string | undefined, maxBytes: number): Buffer {
  const codings = (contentEncoding ?? "")
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim());
  const applied = codings.filter((coding) => coding !== "");
  if (body.length === 0 || applied.length === 0) return body;
  if (applied.length > MAX_CODINGS) throw new UnusableResponse("the body has too many content encodings");
  // The last one was applied last.
  return applied.reduceRight((content, coding) => decode(content, coding, maxBytes), body);
}

function decode(body: Buffer, coding: string, maxBytes: number): Buffer {
  const decoder = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
  if (!decoder)
    throw new UnusableResponse(
      `the content encoding ${JSON.stringify(coding.slice(0, 30))} was not requested and is not supported`,
    );
  try {
    return decoder(body, { maxOutputLength: maxBytes });
  } catch (error) {
    const isTooLong = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    throw new UnusableResponse(
      isTooLong
        ? `the body is longer than ${maxBytes} bytes`
        : `the body is not ${coding}, although Content-Encoding claims it`,
    );
  }
}
