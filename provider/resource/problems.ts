/** Collects what is wrong with arguments. */
import type { Failure } from "../failure/failure";
import { asInvalidReference } from "../reference/invalid-reference";
import { UNKNOWN } from "./unknown";

/** Collects problems, in the order in which they are found. */
export class Problems {
  readonly found: Failure[] = [];

  add(path: string, reason: string, hint?: string): void {
    this.found.push({ code: "INVALID_ARGUMENT", object: path, reason, ...(hint && { hints: [hint] }) });
  }

  parsed(path: string, value: unknown, parse: (text: string) => unknown): void {
    if (value === UNKNOWN) return;
    try {
      if (typeof value !== "string") this.add(path, "must be a string");
      else parse(value);
    } catch (error) {
      const invalid = asInvalidReference(error);
      if (invalid === undefined) throw error;
      this.add(path, invalid.reason, invalid.hint);
    }
  }

  names(path: string, value: unknown, parse: (text: string) => unknown): void {
    if (!given(value) || value === UNKNOWN) return;
    if (!Array.isArray(value)) {
      this.add(path, "must be a list of strings");
      return;
    }
    value.forEach((name, index) => {
      this.parsed(`${path}[${index}]`, name, parse);
      if (name !== UNKNOWN && value.indexOf(name) < index) this.add(`${path}[${index}]`, "must not be listed twice");
    });
  }

  flag(path: string, value: unknown): void {
    if (!given(value) || value === UNKNOWN || typeof value === "boolean") return;
    this.add(path, "must be true or false");
  }

  choice(path: string, value: unknown, choices: readonly string[]): void {
    if (!given(value) || value === UNKNOWN || choices.includes(value as string)) return;
    this.add(path, `must be one of ${choices.map((choice) => `"${choice}"`).join(", ")}`);
  }

  knownKeys(prefix: string, object: Readonly<Record<string, unknown>>, known: readonly string[]): void {
    for (const [key, value] of Object.entries(object)) {
      // What is undefined never leaves the program.
      if (value !== undefined && !known.includes(key))
        this.add(prefix + key, `is not a known argument; expected one of ${known.join(", ")}`);
    }
  }
}

/** Whether an argument is set: JSON can leave it out by `null`. */
export function given<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null;
}
