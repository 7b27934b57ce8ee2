/**
 * Parses the challenges of a `WWW-Authenticate` header: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 *
 * ```
 * header    := challenge *( "," challenge )          several headers arrive joined by commas
 * challenge := scheme [ 1*SP ( token68 | parameter *( "," parameter ) ) ]
 * parameter := name "=" ( token | quoted string )
 * ```
 */

export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** By name in lower case; the first of a name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,;"=][^\\s,;"]*))`, "y");
const SCHEME = new RegExp(`(${TOKEN})(?=[ \\t]|,|$)(?![ \\t]*=)`, "y");
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
// Some servers separate parameters by semicolons.
const SEPARATORS = /[ \t,;]*/y;

/** Reads every challenge of a `WWW-Authenticate` value, in its order. Parsing stops at the first text that is none. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at = pattern.lastIndex;
    return match;
  };

  for (take(SEPARATORS); at < header.length; take(SEPARATORS)) {
    const current = challenges.at(-1);
    const parameter = current && take(PARAMETER);
    if (parameter) {
      const [, name = "", quoted, token = ""] = parameter;
      const value = quoted === undefined ? token : quoted.replace(/\\(.)/g, "$1");
      if (!current.parameters.has(name.toLowerCase())) current.parameters.set(name.toLowerCase(), value);
      continue;
    }
    const scheme = take(SCHEME);
    if (scheme) {
      challenges.push({ scheme: (scheme[1] ?? "").toLowerCase(), parameters: new Map() });
      continue;
    }
    if (!(current && take(TOKEN68))) break;
  }
  return challenges;
}
