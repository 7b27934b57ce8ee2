/** Regular expressions that users write, in the syntax of RE2 (https://github.com/google/re2/wiki/Syntax), which no text makes slow. */
import type { RE2JS } from "re2js";
import { InvalidReference } from "./invalid-reference";

/** @throws InvalidReference with what is wrong with the expression. */
export function compilePattern(expression: string): RE2JS {
  const { RE2JS } = re2();
  try {
    return RE2JS.compile(expression);
  } catch (error) {
    const message = error instanceof Error ? error.message.replace("error parsing regexp: ", "") : String(error);
    throw new InvalidReference(`is not a valid RE2: ${message}`);
  }
}

/** Loaded at its first use, which most programs do not have. */
function re2(): typeof import("re2js") {
  return require("re2js");
}
