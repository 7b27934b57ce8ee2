/** The argument `verify.notation`: whose signatures are accepted. */
import { createHash, X509Certificate } from "node:crypto";
import type { Failure } from "../failure/failure";
import { isObject } from "../json";
import { covers, formatName, type Identity, parseIdentity } from "./notation/distinguished-name";

/** Whose Notation signatures are accepted; names and meaning as in Notation's trust policy. */
export interface NotationArguments {
  readonly trustStore: {
    /** Certificates of the CAs, in PEM. Each text can hold several. */
    readonly ca: readonly string[];
    /**
     * Root certificates of timestamp authorities, in PEM. When given, every signature must have a timestamp of one of
     * them, and is accepted even after its certificates have expired. Otherwise, the certificates must be valid now.
     */
    readonly tsa?: readonly string[];
  };
  /** Subjects such as `x509.subject: C=US, ST=WA, O=Example`: a signer has every attribute of one. Or `*` alone. */
  readonly trustedIdentities: readonly string[];
  /** Revocation is not checked, neither of signers nor of timestamp authorities, and this must be said. */
  readonly revocation: "skip";
}

/** Valid arguments, parsed. */
export interface NotationPolicy {
  readonly ca: readonly X509Certificate[];
  /** Empty: timestamps do not count. */
  readonly tsa: readonly X509Certificate[];
  readonly trustedIdentities: "*" | readonly Identity[];
  readonly revocation: "skip";
}

/**
 * Parses {@link NotationArguments}, or returns every problem with them, each beginning with the path of its argument and
 * repeating no certificate. Nothing in the value may be unknown.
 *
 * @param path - Of the argument: `verify.notation`.
 */
export function parseNotationPolicy(
  path: string,
  value: unknown,
): NotationPolicy | { readonly problems: readonly Failure[] } {
  const problems = new Problems();
  const args = problems.object(path, value, ["trustStore", "trustedIdentities", "revocation"]);
  const trustStore = args && problems.object(`${path}.trustStore`, args.trustStore, ["ca", "tsa"]);
  const ca = trustStore && parseCertificates(problems, `${path}.trustStore.ca`, trustStore.ca, caProblem);
  const tsa = given(trustStore?.tsa)
    ? parseCertificates(problems, `${path}.trustStore.tsa`, trustStore?.tsa, rootProblem)
    : [];
  const trustedIdentities = args && parseIdentities(problems, `${path}.trustedIdentities`, args.trustedIdentities);
  if (args && args.revocation !== "skip") {
    problems.add(
      `${path}.revocation`,
      'must be "skip"',
      "Say that revoked certificates are not noticed; checking revocation is not supported",
    );
  }
  if (problems.found.length > 0 || !ca || !trustedIdentities) return { problems: problems.found };
  return { ca, tsa, trustedIdentities, revocation: "skip" };
}

/** A short text for the state, equal for policies that mean the same. */
export function notationPolicyKey({ ca, tsa, trustedIdentities, revocation }: NotationPolicy): string {
  const fingerprints = (certificates: readonly X509Certificate[]) =>
    [...new Set(certificates.map(({ fingerprint256 }) => fingerprint256))].sort();
  const identities = trustedIdentities === "*" ? ["*"] : trustedIdentities.map(identityKey).sort();
  const text = JSON.stringify({ ca: fingerprints(ca), tsa: fingerprints(tsa), identities, revocation });
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

function identityKey(identity: Identity): string {
  const attributes = [...identity].map(([type, value]) => ({ type, value }));
  return formatName(attributes.sort((one, other) => (one.type < other.type ? -1 : 1)));
}

class Problems {
  readonly found: Failure[] = [];

  add(path: string, reason: string, hint?: string): void {
    this.found.push({ code: "INVALID_ARGUMENT", object: path, reason, ...(hint !== undefined && { hints: [hint] }) });
  }

  /** The value as an object with known keys, or `undefined` after it is reported. */
  object(path: string, value: unknown, known: readonly string[]): Readonly<Record<string, unknown>> | undefined {
    if (!isObject(value)) {
      this.add(path, given(value) ? `must be an object with ${known.join(", ")}` : "is required");
      return undefined;
    }
    for (const [key, one] of Object.entries(value)) {
      if (one !== undefined && !known.includes(key)) {
        this.add(`${path}.${key}`, `is not a known argument; expected one of ${known.join(", ")}`);
      }
    }
    return value;
  }

  /** Each text of a list with its path; what is none is reported. */
  texts(path: string, value: unknown, what: string): readonly { readonly path: string; readonly text: string }[] {
    if (!Array.isArray(value) || value.length === 0) {
      this.add(path, given(value) ? `must be a list of ${what}` : `is required: a list of ${what}`);
      return [];
    }
    return value.flatMap((text: unknown, index) => {
      const item = `${path}[${index}]`;
      if (typeof text === "string") return [{ path: item, text }];
      this.add(item, "must be a string");
      return [];
    });
  }
}

function given(value: unknown): boolean {
  return value !== undefined && value !== null;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function parseCertificates(
  problems: Problems,
  path: string,
  value: unknown,
  problemOf: (certificate: X509Certificate) => string | undefined,
): readonly X509Certificate[] {
  return problems.texts(path, value, "certificates in PEM").flatMap(({ path: item, text }) => {
    const blocks = text.match(PEM) ?? [];
    if (blocks.length === 0) {
      problems.add(item, "must contain a certificate in PEM", "Pass the content of the file, not its path");
    }
    return blocks.flatMap((block) => {
      try {
        const certificate = new X509Certificate(block);
        const problem = problemOf(certificate);
        if (problem === undefined) return [certificate];
        problems.add(item, problem);
      } catch {
        problems.add(item, "contains a certificate that cannot be read");
      }
      return [];
    });
  });
}

function caProblem(certificate: X509Certificate): string | undefined {
  return certificate.ca || isSelfSigned(certificate) ? undefined : "must be the certificate of a CA, or self-signed";
}

function rootProblem(certificate: X509Certificate): string | undefined {
  return isSelfSigned(certificate) ? undefined : "must be a root certificate, which is self-signed";
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);
}

const SUBJECT = /^x509\.subject:(.*)$/s;

function parseIdentities(problems: Problems, path: string, value: unknown): "*" | readonly Identity[] {
  const texts = problems.texts(path, value, 'subjects such as "x509.subject: C=US, ST=WA, O=Example", or "*" alone');
  if (texts.length === 1 && texts[0]?.text === "*") return "*";
  const identities: { readonly path: string; readonly identity: Identity }[] = [];
  for (const { path: item, text } of texts) {
    const [, subject] = SUBJECT.exec(text) ?? [];
    const identity = subject === undefined ? wrongIdentity(text) : parseIdentity(subject);
    if (typeof identity === "string") {
      problems.add(item, identity);
      continue;
    }
    const overlapping = identities.find(({ identity: other }) => covers(identity, other) || covers(other, identity));
    if (overlapping) problems.add(item, `must not overlap with ${overlapping.path}`, "Leave out the more specific one");
    identities.push({ path: item, identity });
  }
  return identities.map(({ identity }) => identity);
}

function wrongIdentity(text: string): string {
  return text === "*" ? 'must be alone when it is "*"' : 'must be "*" or begin with "x509.subject:"';
}
