/** JSON of signatures, which every program has to read in the same way. */
import { parseJson } from "../json";

/** Every text in JSON, those before a colon with it: they are keys. */
const TEXTS = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/gs;

/**
 * Parses JSON, or returns `undefined` when it is not UTF-8, not JSON, or repeats a key: of two equal keys some programs
 * read the first and others the last (https://www.rfc-editor.org/rfc/rfc8259#section-4).
 */
export function parseStrictJson(bytes: Buffer): unknown {
  const text = decode(bytes);
  const value = text === undefined ? undefined : parseJson(text);
  return value !== undefined && countKeys(value) === countKeysIn(text ?? "") ? value : undefined;
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function countKeysIn(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(TEXTS)) if (colon !== undefined) count++;
  return count;
}

/** Without recursion: JSON may be nested as deep as it is long. */
function countKeys(value: unknown): number {
  let count = 0;
  const values = [value];
  for (const next of values) {
    if (typeof next !== "object" || next === null) continue;
    if (!Array.isArray(next)) count += Object.keys(next).length;
    for (const inner of Object.values(next)) values.push(inner);
  }
  return count;
}
