/**
 * Distinguished names, as identities of a policy and as subjects of certificates.
 * https://github.com/notaryproject/specifications/blob/main/specs/trust-store-trust-policy.md#trusted-identities-constraints
 */

/** One attribute of a subject: its type, such as `O`, or an object identifier that has no short name here. */
export interface NameAttribute {
  readonly type: string;
  readonly value: string;
}

/** The subject of a certificate, in its order. A type can occur more than once. */
export type Subject = readonly NameAttribute[];

/** An identity: values by type, among them always `C`, `ST` and `O`. */
export type Identity = ReadonlyMap<string, string>;

/** https://www.rfc-editor.org/rfc/rfc4514#section-3, and those that certificates also have. */
export const ATTRIBUTE_TYPES: Readonly<Record<string, string>> = {
  "2.5.4.6": "C",
  "2.5.4.8": "ST",
  "2.5.4.7": "L",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.3": "CN",
  "2.5.4.9": "STREET",
  "2.5.4.17": "POSTALCODE",
  "2.5.4.5": "SERIALNUMBER",
};
const KNOWN_TYPES = Object.values(ATTRIBUTE_TYPES);
const MANDATORY_TYPES = ["C", "ST", "O"];

const ATTRIBUTE = /^\s*([a-z][a-z0-9-]*|\d+(?:\.\d+)+)\s*=\s*((?:\\.|[^\\,;+"<>])*)/i;

/** Parses an identity such as `C=US, ST=WA, O=Example`; a string is the reason why it is none. */
export function parseIdentity(text: string): Identity | string {
  const identity = new Map<string, string>();
  for (let rest: string | undefined = text; rest !== undefined; ) {
    const [match, name = "", rawValue = ""]: readonly string[] = ATTRIBUTE.exec(rest) ?? [];
    const after: string = rest.slice(match?.length);
    if (after.startsWith("+")) return "must not contain an attribute with several values (+)";
    if (match === undefined || !/^(,|$)/.test(after)) return MALFORMED;

    const type = name.toUpperCase() === "S" ? "ST" : name.toUpperCase();
    if (!KNOWN_TYPES.includes(type)) return `must not contain ${name}; supported are ${KNOWN_TYPES.join(", ")}`;
    if (identity.has(type)) return `must not contain ${type} twice`;
    const value = unescapeValue(rawValue);
    if (value === undefined || value === "") return `must have a text as the value of ${type}`;
    identity.set(type, value);
    rest = after === "" ? undefined : after.slice(1);
  }
  const missing = MANDATORY_TYPES.filter((type) => !identity.has(type));
  return missing.length > 0 ? `must contain C, ST and O; missing: ${missing.join(", ")}` : identity;
}

const MALFORMED = `must be a list such as C=US, ST=WA, O=Example, with a backslash before , ; + < > " and \\ in values`;

/** Undoes the escapes of https://www.rfc-editor.org/rfc/rfc4514#section-2.4; `undefined` for a value in hexadecimal BER. */
function unescapeValue(raw: string): string | undefined {
  if (raw.startsWith("#")) return undefined;
  const parts = raw.match(/\\[0-9a-f]{2}|\\.|[^\\]/gis) ?? [];
  while (/^\s$/.test(parts.at(-1) ?? "")) parts.pop();
  const bytes = parts.map((part) =>
    /^\\[0-9a-f]{2}$/i.test(part) ? Buffer.from(part.slice(1), "hex") : Buffer.from(part.replace(/^\\/, "")),
  );
  return Buffer.concat(bytes).toString("utf8");
}

/** Whether the subject has every attribute of the identity, with exactly that value and no other. */
export function matches(identity: Identity, subject: Subject): boolean {
  return [...identity].every(([type, value]) => {
    const values = subject.filter((attribute) => attribute.type === type);
    return values.length === 1 && values[0]?.value === value;
  });
}

/** Whether every subject that the second identity matches is matched by the first, too. */
export function covers(identity: Identity, other: Identity): boolean {
  return [...identity].every(([type, value]) => other.get(type) === value);
}

/** The text of a name, in the form in which a policy names it. */
export function formatName(attributes: Iterable<NameAttribute>): string {
  return [...attributes].map(({ type, value }) => `${type}=${escapeValue(value)}`).join(", ");
}

function escapeValue(value: string): string {
  return value
    .replace(/[\\,;+"<>]/g, "\\$&")
    .replace(/^[ #]|(?<!^) $/g, "\\$&")
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => Buffer.from(character).toString("hex").replace(/../g, "\\$&"));
}
