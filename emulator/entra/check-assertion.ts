/** Client assertions: certificates and workload identity federation. */
import { constants, createPublicKey, type KeyObject, verify, X509Certificate } from "node:crypto";
import type { Identity } from "../state";
import { type DecodedToken, decodeToken, type SigningKey } from "./json-web-token";

/** Why an assertion is rejected: the number of the AADSTS code and its message. */
export interface AssertionError {
  readonly code: number;
  readonly text: string;
}

/**
 * Checks a client assertion. It is signed with the key of a registered certificate, or by another issuer that the
 * application trusts (workload identity federation).
 */
export function checkAssertion(
  assertion: string,
  identity: Identity,
  audiences: readonly string[],
  issuerKey: SigningKey,
  issuer: string,
): AssertionError | undefined {
  const token = decodeToken(assertion);
  if (!token) return { code: 50027, text: "JWT token is invalid or malformed." };
  const { iss, exp } = token.claims;
  if (typeof exp !== "number" || exp * 1000 < Date.now()) {
    return { code: 700024, text: "Client assertion is not within its valid time range." };
  }
  if (iss === identity.clientId) return checkCertificateAssertion(token, identity, audiences);
  return checkFederatedAssertion(token, identity, issuerKey, issuer);
}

function checkCertificateAssertion(
  token: DecodedToken,
  identity: Identity,
  audiences: readonly string[],
): AssertionError | undefined {
  const { aud, sub } = token.claims;
  if (sub !== identity.clientId || !audiences.includes(String(aud))) {
    return { code: 700023, text: "Client assertion audience claim does not match Realm issuer." };
  }
  const keys = identity.certificates.map((certificate) => new X509Certificate(certificate).publicKey);
  if (keys.some((key) => isSignedBy(token, key))) return undefined;
  return {
    code: 700027,
    text: "The certificate with identifier used to sign the client assertion is not registered on application.",
  };
}

function checkFederatedAssertion(
  token: DecodedToken,
  identity: Identity,
  issuerKey: SigningKey,
  issuer: string,
): AssertionError | undefined {
  const { iss, sub, aud } = token.claims;
  const trusted = identity.federatedCredentials.filter((credential) => credential.issuer === iss);
  if (trusted.length === 0) {
    return {
      code: 700211,
      text: `No matching federated identity record found for presented assertion issuer '${iss}'.`,
    };
  }
  const subjects = trusted.filter((credential) => credential.subject === sub);
  if (subjects.length === 0) {
    return {
      code: 700213,
      text: `No matching federated identity record found for presented assertion subject '${sub}'.`,
    };
  }
  const match = subjects.find((credential) => credential.audience === aud);
  if (!match) {
    return {
      code: 700212,
      text: `No matching federated identity record found for presented assertion audience '${aud}'.`,
    };
  }
  const isSigned = match.publicKey
    ? isSignedBy(token, createPublicKey(match.publicKey))
    : iss === issuer && issuerKey.verify(token);
  return isSigned ? undefined : { code: 5000813, text: "The signature of the presented assertion is not valid." };
}

function isSignedBy(token: DecodedToken, key: KeyObject): boolean {
  const data = Buffer.from(token.signed);
  switch (token.header.alg) {
    case "RS256":
      return verify("sha256", data, key, token.signature);
    case "PS256":
      return verify(
        "sha256",
        data,
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
        token.signature,
      );
    case "ES256":
      return verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, token.signature);
    default:
      return false;
  }
}
