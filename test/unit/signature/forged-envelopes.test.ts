/** Forged Notation envelopes: each is rejected, for its own reason. */
import { constants, createHmac, createPublicKey, sign } from "node:crypto";
import { verifyNotation } from "../../../provider/signature/notation";
import { digestOf } from "../../support/fixtures";
import { CA_EXTENSIONS, issue, type NameParts, type Wish } from "./notation-certificates";
import {
  bytesOf,
  candidateOf,
  changeJws,
  coseOf,
  coseParts,
  IMAGE,
  JWS,
  SIGNED_AT,
  type Signed,
  seconds,
  signAs,
  signCose,
  signCoseHeader,
  signJws,
} from "./notation-envelopes";
import { chain, intermediate, leaf, NOW, otherRoot, policyOf, rejectsEach, root } from "./notation-world";

const { encode, Tag } = require("cbor2") as typeof import("cbor2", { with: { "resolution-mode": "import" }});

const target = (change: object) => ({ payload: { targetArtifact: { ...IMAGE, ...change } } });
const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const parseBase64url = (text = "") => JSON.parse(Buffer.from(text, "base64url").toString());
const named = (wish: Wish) => [issue("signer", { issuer: root, ...wish }), root];

describe("another image", () => {
  const otherDigest = digestOf("d");
  rejectsEach({
    "a payload with another digest (JWS)": () => ({
      signed: signJws({ chain, ...target({ digest: otherDigest }) }),
      reason: /^is for an image with the digest "sha256:ddd/,
    }),
    "a payload with another digest (COSE)": () => ({
      signed: signCose({ chain, ...target({ digest: otherDigest }) }),
      reason: /^is for an image with the digest "sha256:ddd/,
    }),
    "a payload with another size": () => ({
      signed: signJws({ chain, ...target({ size: 655 }) }),
      reason: /^is for an image with the size 655, not 654$/,
    }),
    "a payload with the size as a text": () => ({
      signed: signJws({ chain, ...target({ size: "654" }) }),
      reason: /with the size/,
    }),
    "a payload with another media type": () => ({
      signed: signJws({ chain, ...target({ mediaType: "text/plain" }) }),
      reason: /with the mediaType "text\/plain"/,
    }),
    "a payload without a digest": () => ({
      signed: signJws({ chain, ...target({ digest: undefined }) }),
      reason: /with the digest \(undefined\)/,
    }),
    "a payload without a target artifact": () => ({
      signed: signJws({ chain, payload: { digest: IMAGE.digest } }),
      reason: /^has a payload without a target artifact$/,
    }),
    "a payload that is a list": () => ({
      signed: signJws({ chain, payload: [{ targetArtifact: IMAGE }] }),
      reason: /^has a payload without a target artifact$/,
    }),
    "a manifest that refers to another image": () => ({
      signed: candidateOf(signJws({ chain }), { subject: { digest: otherDigest } }),
      reason: /^refers to sha256:ddd/,
    }),
    "a manifest without a subject": () => {
      const candidate = candidateOf(signJws({ chain }));
      const { subject: _, ...manifest } = candidate.manifest;
      return { signed: { ...candidate, manifest }, reason: /^refers to nothing$/ };
    },
    "a manifest of another type": () => ({
      signed: candidateOf(signJws({ chain }), { artifactType: "application/spdx+json" }),
      reason: /^is not a signature of the Notary Project$/,
    }),
    "a manifest with two layers": () => {
      const candidate = candidateOf(signJws({ chain }));
      const { layers } = candidate.manifest;
      const signed = { ...candidate, manifest: { ...candidate.manifest, layers: [...layers, ...layers] } };
      return { signed, reason: /^does not have exactly one layer$/ };
    },
    "a manifest without layers": () => ({
      signed: candidateOf(signJws({ chain }), { layers: [] }),
      reason: /^does not have exactly one layer$/,
    }),
    "an envelope of an unknown type": () => ({
      signed: { ...signJws({ chain }), mediaType: "application/jose" },
      reason: /^has an envelope of the type "application\/jose"/,
    }),
    "a JWS envelope that says it is COSE": () => ({
      signed: { ...signJws({ chain }), mediaType: "application/cose" },
      reason: /^has a COSE envelope that cannot be read/,
    }),
  });

  test("a layer that is too large is not even read", async () => {
    const candidate = candidateOf(signJws({ chain }));
    const layers = candidate.manifest.layers.map((layer) => ({ ...layer, size: 250_001 }));
    const blob = () => Promise.reject(new Error("read"));
    const verdict = verifyNotation(
      IMAGE,
      { ...candidate, blob, manifest: { ...candidate.manifest, layers } },
      policyOf({}),
      NOW,
    );
    expect(await verdict).toEqual({ rejected: "is larger than 250000 bytes" });
  });
});

describe("a signer who is not trusted", () => {
  const untrusted = /which is not among trustedIdentities$/;
  const asOther = (name: NameParts) => ({ signed: signJws({ chain: named({ name }) }), reason: untrusted });
  rejectsEach({
    "another CA, with the same names": () => {
      const otherCa = issue("Root", { extensions: CA_EXTENSIONS });
      return {
        signed: signJws({ chain: [issue("signer", { issuer: otherCa }), otherCa] }),
        reason: /^is signed by ".*CN=signer" below ".*CN=Root", which is not in trustStore.ca$/,
      };
    },
    "a self-signed certificate": () => ({
      signed: signCose({ chain: [issue("signer")] }),
      reason: /which is not in trustStore.ca$/,
    }),
    "another organization below the same CA": () =>
      asOther([
        ["C", "US"],
        ["ST", "WA"],
        ["O", "Evil"],
      ]),
    "an organization whose name begins with the trusted one": () =>
      asOther([
        ["C", "US"],
        ["ST", "WA"],
        ["O", "Wabbit Networks Ltd"],
      ]),
    "an organization whose name ends with the trusted one": () =>
      asOther([
        ["C", "US"],
        ["ST", "WA"],
        ["O", "Not Wabbit Networks"],
      ]),
    "an organization in other letters": () =>
      asOther([
        ["C", "US"],
        ["ST", "WA"],
        ["O", "wabbit networks"],
      ]),
    "an organization with a space more": () =>
      asOther([
        ["C", "US"],
        ["ST", "WA"],
        ["O", "Wabbit Networks "],
      ]),
    "an organization with a NUL behind the trusted one": () =>
      asOther([
        ["C", "US"],
        ["ST", "WA"],
        ["O", "Wabbit Networks\0"],
      ]),
    "the trusted organization inside another attribute": () =>
      asOther([
        ["C", "US"],
        ["ST", "WA"],
        ["O", "Evil"],
        ["OU", "x, O=Wabbit Networks"],
      ]),
    "all trusted attributes inside one": () => asOther([["OU", "C=US, ST=WA, O=Wabbit Networks"]]),
    "the trusted organization as a unit": () =>
      asOther([
        ["C", "US"],
        ["ST", "WA"],
        ["OU", "Wabbit Networks"],
      ]),
    "a second organization beside the trusted one": () =>
      asOther([
        ["C", "US"],
        ["ST", "WA"],
        ["O", "Evil"],
        ["O", "Wabbit Networks"],
      ]),
    "a second organization behind the trusted one": () =>
      asOther([
        ["C", "US"],
        ["ST", "WA"],
        ["O", "Wabbit Networks"],
        ["O", "Evil"],
      ]),
    "the trusted organization in another state": () =>
      asOther([
        ["C", "US"],
        ["ST", "OR"],
        ["O", "Wabbit Networks"],
      ]),
    "a subject without the state": () =>
      asOther([
        ["C", "US"],
        ["O", "Wabbit Networks"],
      ]),
    "another common name than the identity has": () => ({
      signed: signJws({ chain }),
      policy: { identities: ["x509.subject: C=US, ST=WA, O=Wabbit Networks, CN=signer2"] },
      reason: untrusted,
    }),
    "an identity that only the CA has": () => ({
      signed: signJws({ chain }),
      policy: { identities: ["x509.subject: C=US, ST=WA, O=Wabbit Networks, CN=Intermediate"] },
      reason: untrusted,
    }),
  });
});

describe("content that nobody signed", () => {
  const unsigned = /^has a signature that does not belong to its content$/;
  const changedPayload = base64url({ targetArtifact: { ...IMAGE, annotations: { approved: "yes" } } });
  const [protectedBytes, unprotected, payload, signature] = coseParts({ chain });
  rejectsEach({
    "a changed payload (JWS)": () => ({
      signed: changeJws(signJws({ chain }), (envelope) => ({ ...envelope, payload: changedPayload })),
      reason: unsigned,
    }),
    "a changed payload (COSE)": () => ({
      signed: coseOf(new Tag(18, [protectedBytes, unprotected, flip(payload, 40), signature])),
      reason: unsigned,
    }),
    "a protected header without its expiry (JWS)": () => ({
      signed: changeJws(signJws({ chain, headers: EXPIRED }), (envelope) => {
        const { "io.cncf.notary.expiry": _, ...headers } = parseBase64url(envelope.protected);
        return { ...envelope, protected: base64url({ ...headers, crit: ["io.cncf.notary.signingScheme"] }) };
      }),
      reason: unsigned,
    }),
    "a protected header with another time (COSE)": () => ({
      signed: coseOf(new Tag(18, [flip(protectedBytes, protectedBytes.length - 1), unprotected, payload, signature])),
      reason: unsigned,
    }),
    "a protected header in another spelling": () => ({
      signed: changeJws(signJws({ chain }), (envelope) => {
        const spaced = JSON.stringify(parseBase64url(envelope.protected), null, 1);
        return { ...envelope, protected: Buffer.from(spaced).toString("base64url") };
      }),
      reason: unsigned,
    }),
    "a changed signature (JWS)": () => ({
      signed: changeJws(signJws({ chain }), (envelope) => {
        const bytes = flip(Buffer.from(envelope.signature ?? "", "base64url"), 10);
        return { ...envelope, signature: Buffer.from(bytes).toString("base64url") };
      }),
      reason: unsigned,
    }),
    "a changed signature (COSE)": () => ({
      signed: coseOf(new Tag(18, [protectedBytes, unprotected, payload, flip(signature, 10)])),
      reason: unsigned,
    }),
    "a signature of zeros": () => ({
      signed: signCose({ chain, sign: () => Buffer.alloc(64) }),
      reason: unsigned,
    }),
    "an empty signature": () => ({ signed: signJws({ chain, sign: () => Buffer.alloc(0) }), reason: unsigned }),
    "the signature of another envelope": () => ({
      signed: changeJws(signJws({ chain }), (envelope) => ({
        ...envelope,
        signature: JSON.parse(signJws({ chain, ...target({ size: 1 }) }).bytes.toString()).signature,
      })),
      reason: unsigned,
    }),
    "a signature by a key that is not the certificate's (JWS)": () => ({
      signed: signJws({ chain, key: otherRoot.key }),
      reason: unsigned,
    }),
    "a signature by a key that is not the certificate's (COSE)": () => ({
      signed: signCose({ chain, key: otherRoot.key }),
      reason: unsigned,
    }),
    "a signature by the key of the CA": () => ({ signed: signJws({ chain, key: intermediate.key }), reason: unsigned }),
    "an ECDSA signature in DER": () => ({
      signed: signJws({ chain, sign: (bytes, key) => sign("sha256", bytes, key) }),
      reason: unsigned,
    }),
    "a COSE signature over something else than Signature1": () => {
      const sign1 = (bytes: Buffer, key: typeof leaf.key) =>
        signAs(Buffer.from(bytes.toString("latin1").replace("Signature1", "Signature2"), "latin1"), key);
      return { signed: signCose({ chain, sign: sign1 }), reason: unsigned };
    },
  });
});

describe("another algorithm", () => {
  const other = /^names another algorithm \((unsupported|ES256|ES384|PS256)\) than its key has \((ES256|PS256)\)$/;
  const rsa = named({ key: "rsa2048" });
  const hmac = (bytes: Buffer) => {
    const secret = createPublicKey(leaf.key).export({ format: "pem", type: "spki" });
    return createHmac("sha256", secret).update(bytes).digest();
  };
  rejectsEach({
    "none, without a signature": () => ({
      signed: signJws({ chain, headers: { alg: "none" }, sign: () => Buffer.alloc(0) }),
      reason: other,
    }),
    "HMAC with the public key as its secret": () => ({
      signed: signJws({ chain, headers: { alg: "HS256" }, sign: hmac }),
      reason: other,
    }),
    "no algorithm at all (JWS)": () => ({ signed: signJws({ chain, headers: { alg: undefined } }), reason: other }),
    "no algorithm at all (COSE)": () => ({ signed: signCose({ chain }, [[1, undefined]]), reason: other }),
    "the algorithm of a longer EC key": () => ({
      signed: signJws({ chain, headers: { alg: "ES384" } }),
      reason: other,
    }),
    "the algorithm of RSA for an EC key (COSE)": () => ({ signed: signCose({ chain }, [[1, -37]]), reason: other }),
    "HMAC in COSE": () => ({ signed: signCose({ chain, sign: hmac }, [[1, 5]]), reason: other }),
    "the name of a JWS algorithm in COSE": () => ({ signed: signCose({ chain }, [[1, "ES256"]]), reason: other }),
    "the number of a COSE algorithm in JWS": () => ({
      signed: signJws({ chain, headers: { alg: -7 } }),
      reason: other,
    }),
    "RSASSA-PKCS1-v1_5": () => ({
      signed: signJws({ chain: rsa, headers: { alg: "RS256" }, sign: (bytes, key) => sign("sha256", bytes, key) }),
      reason: other,
    }),
    "RSASSA-PKCS1-v1_5 that says it is RSASSA-PSS": () => ({
      signed: signJws({ chain: rsa, sign: (bytes, key) => sign("sha256", bytes, key) }),
      reason: /^has a signature that does not belong to its content$/,
    }),
    "RSASSA-PSS with a salt of another length": () => {
      const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 0 };
      return {
        signed: signJws({ chain: rsa, sign: (bytes, key) => sign("sha256", bytes, { key, ...padding }) }),
        reason: /^has a signature that does not belong to its content$/,
      };
    },
    "ECDSA with another hash than the key's": () => ({
      signed: signCose({ chain, sign: (bytes, key) => sign("sha1", bytes, { key, dsaEncoding: "ieee-p1363" }) }),
      reason: /^has a signature that does not belong to its content$/,
    }),
  });
});

const SCHEME = "io.cncf.notary.signingScheme";
const EXPIRY = "io.cncf.notary.expiry";
const EXPIRED = { [EXPIRY]: "2026-11-02T00:00:00Z", crit: [SCHEME, EXPIRY] };

describe("protected headers", () => {
  const crit = (...names: unknown[]) => ({ crit: [SCHEME, ...names] });
  rejectsEach({
    "a signature that has expired (JWS)": () => ({
      signed: signJws({ chain, headers: EXPIRED }),
      reason: /^expired at 2026-11-02T00:00:00.000Z$/,
    }),
    "a signature that has expired (COSE)": () => ({
      signed: signCose({ chain }, [
        [EXPIRY, seconds("2026-11-02T00:00:00Z")],
        [2, [SCHEME, EXPIRY]],
      ]),
      reason: /^expired at 2026-11-02T00:00:00.000Z$/,
    }),
    "a signature that expires at this moment": () => ({
      signed: signJws({ chain, headers: EXPIRED }),
      now: "2026-11-02T00:00:00Z",
      reason: /^expired at/,
    }),
    "a signature that expires before it was made": () => ({
      signed: signJws({ chain, headers: { ...EXPIRED, [EXPIRY]: "2026-10-01T00:00:00Z" } }),
      reason: /^expires before it was made$/,
    }),
    "a signature that expires when it was made": () => ({
      signed: signJws({ chain, headers: { ...EXPIRED, [EXPIRY]: SIGNED_AT } }),
      reason: /^expires before it was made$/,
    }),
    "an expiry that is not critical": () => ({
      signed: signJws({ chain, headers: { ...EXPIRED, crit: [SCHEME] } }),
      reason: /^has the header io.cncf.notary.expiry, which is not marked critical$/,
    }),
    "an unknown critical header (JWS)": () => ({
      signed: signJws({ chain, headers: { "com.example.check": true, ...crit("com.example.check") } }),
      reason: /^has the critical header "com.example.check", which is not supported$/,
    }),
    "an unknown critical header (COSE)": () => ({
      signed: signCose({ chain }, [
        ["com.example.check", 1],
        [2, [SCHEME, "com.example.check"]],
      ]),
      reason: /^has the critical header "com.example.check", which is not supported$/,
    }),
    "an unknown critical header with a number (COSE)": () => ({
      signed: signCose({ chain }, [
        [15, new Map()],
        [2, [SCHEME, 15]],
      ]),
      reason: /^has the critical header "15", which is not supported$/,
    }),
    "a critical header that is missing": () => ({
      signed: signJws({ chain, headers: crit("com.example.check") }),
      reason: /^has the critical header "com.example.check", which is not supported$/,
    }),
    "a signature that a plugin has to verify": () => ({
      signed: signJws({
        chain,
        headers: { "io.cncf.notary.verificationPlugin": "x", ...crit("io.cncf.notary.verificationPlugin") },
      }),
      reason: /verificationPlugin", which is not supported$/,
    }),
    "an unknown critical header with control characters": () => ({
      signed: signJws({ chain, headers: crit("\u001b[2J\n") }),
      reason: /^has the critical header "\ufffd\[2J\ufffd"/,
    }),
    "a critical header that is neither a text nor a number (COSE)": () => ({
      signed: signCose({ chain }, [[2, [SCHEME, new Map()]]]),
      reason: /a label is neither a text nor a number$/,
    }),
    "no critical headers (JWS)": () => ({
      signed: signJws({ chain, headers: { crit: undefined } }),
      reason: /^has a JWS envelope that cannot be read: a list is missing$/,
    }),
    "no critical headers (COSE)": () => ({
      signed: signCose({ chain }, [[2, undefined]]),
      reason: /^has a COSE envelope that cannot be read: a list is missing$/,
    }),
    "an empty list of critical headers": () => ({
      signed: signJws({ chain, headers: { crit: [] } }),
      reason: /^has the header io.cncf.notary.signingScheme, which is not marked critical$/,
    }),
    "a critical header that is no text": () => ({
      signed: signJws({ chain, headers: crit(1) }),
      reason: /cannot be read: a list is missing$/,
    }),
    "an unknown signing scheme": () => ({
      signed: signJws({ chain, headers: { [SCHEME]: "notary.x509.v2" } }),
      reason: /^has the signing scheme "notary.x509.v2"/,
    }),
    "no signing scheme": () => ({
      signed: signCose({ chain }, [[SCHEME, undefined]]),
      reason: /^has the signing scheme \(undefined\)/,
    }),
    "no signing time": () => ({
      signed: signJws({ chain, headers: { "io.cncf.notary.signingTime": undefined } }),
      reason: /^has no signing time$/,
    }),
    "an authentic signing time, which belongs to the other scheme": () => ({
      signed: signJws({ chain, headers: { "io.cncf.notary.authenticSigningTime": "2026-11-01T00:00:00Z" } }),
      reason: /^has an authentic signing time/,
    }),
    "a time in another format (JWS)": () => ({
      signed: signJws({ chain, headers: { "io.cncf.notary.signingTime": "1 November 2026" } }),
      reason: /signingTime is not a time$/,
    }),
    "a time that does not exist": () => ({
      signed: signJws({ chain, headers: { ...EXPIRED, [EXPIRY]: "2026-13-45T00:00:00Z" } }),
      reason: /expiry is not a time$/,
    }),
    "a time without its tag (COSE)": () => ({
      signed: signCose({ chain }, [
        [EXPIRY, 4_000_000_000],
        [2, [SCHEME, EXPIRY]],
      ]),
      reason: /expiry is not a time$/,
    }),
    "a time with another tag (COSE)": () => ({
      signed: signCose({ chain }, [
        [EXPIRY, new Tag(100, 4_000_000_000)],
        [2, [SCHEME, EXPIRY]],
      ]),
      reason: /expiry is not a time$/,
    }),
    "a time that is not a number (COSE)": () => ({
      signed: signCose({ chain }, [
        [EXPIRY, new Tag(1, Number.NaN)],
        [2, [SCHEME, EXPIRY]],
      ]),
      reason: /expiry is not a time$/,
    }),
    "another content type (JWS)": () => ({
      signed: signJws({ chain, headers: { cty: "application/vnd.cncf.notary.payload.v2+json" } }),
      reason: /^has the content type "application\/vnd.cncf.notary.payload.v2\+json"$/,
    }),
    "a content type that cannot be turned into a text": () => ({
      signed: signJws({ chain, headers: { cty: { toString: 1 } } }),
      reason: /^has the content type \(object\)$/,
    }),
    "another content type (COSE)": () => ({
      signed: signCose({ chain }, [[3, 50]]),
      reason: /^has the content type 50$/,
    }),
  });
});

describe("malformed JWS", () => {
  const unreadable = /^has a JWS envelope that cannot be read: /;
  const noObject = /it is not a JSON object, or repeats a key$/;
  const raw = (text: string): Signed => ({ mediaType: JWS, bytes: Buffer.from(text) });
  rejectsEach({
    "no JSON": () => ({ signed: raw("{"), reason: unreadable }),
    "no UTF-8": () => ({ signed: { mediaType: JWS, bytes: Buffer.from([0x7b, 0xff, 0x7d]) }, reason: unreadable }),
    "a list": () => ({ signed: raw("[]"), reason: noObject }),
    "a member twice, the second of which is valid": () => ({
      signed: raw(signJws({ chain }).bytes.toString().replace("{", '{"payload":"e30",')),
      reason: noObject,
    }),
    nothing: () => ({ signed: raw(""), reason: unreadable }),
    "deeply nested JSON": () => ({ signed: raw("[".repeat(240_000)), reason: unreadable }),
    "the compact serialization": () => ({
      signed: raw(Object.values(JSON.parse(signJws({ chain }).bytes.toString())).join(".")),
      reason: unreadable,
    }),
    "the general serialization": () => ({
      signed: changeJws(signJws({ chain }), ({ payload, ...signature }) => ({ payload, signatures: [signature] })),
      reason: /the member signatures is not permitted$/,
    }),
    "a further member": () => ({
      signed: signJws({ chain }, { signatures: [] }),
      reason: /the member signatures is not permitted$/,
    }),
    "a payload with padding": () => ({
      signed: changeJws(signJws({ chain }), (envelope) => ({ ...envelope, payload: `${envelope.payload}==` })),
      reason: /a value is not base64url$/,
    }),
    "a payload with a line break": () => ({
      signed: changeJws(signJws({ chain }), (envelope) => ({ ...envelope, payload: `${envelope.payload}\n` })),
      reason: /a value is not base64url$/,
    }),
    "a signature with superfluous bits": () => ({
      signed: changeJws(signJws({ chain }), (envelope) => ({
        ...envelope,
        signature: `${envelope.signature?.slice(0, -1)}${envelope.signature?.endsWith("B") ? "C" : "B"}`,
      })),
      reason: /a value is not base64url$/,
    }),
    "a protected header that is no object": () => ({
      signed: signJws({ chain }, { protected: base64url(["ES256"]) }),
      reason: noObject,
    }),
    "no unprotected header": () => ({
      signed: signJws({ chain }, { header: undefined }),
      reason: /the unprotected header is missing$/,
    }),
    "no certificates": () => ({ signed: signJws({ chain, unprotected: { x5c: undefined } }), reason: unreadable }),
    "an empty list of certificates": () => ({
      signed: signJws({ chain, unprotected: { x5c: [] } }),
      reason: /^has no certificate$/,
    }),
    "a certificate that is none": () => ({
      signed: signJws({ chain, unprotected: { x5c: ["AAAA"] } }),
      reason: /^has a certificate that cannot be read/,
    }),
    "a certificate in base64url": () => ({
      signed: signJws({ chain, unprotected: { x5c: chain.map(({ der }) => `${der.toString("base64url")}-_`) } }),
      reason: /a value is not base64$/,
    }),
    "a certificate with bytes behind it": () => ({
      signed: signJws({
        chain,
        unprotected: { x5c: chain.map(({ der }) => Buffer.concat([der, Buffer.alloc(3)]).toString("base64")) },
      }),
      reason: /^has a certificate that cannot be read: invalid trailing data$/,
    }),
    "certificates in the protected header only": () => ({
      signed: signJws({
        chain,
        headers: { x5c: chain.map(({ der }) => der.toString("base64")) },
        unprotected: { x5c: undefined },
      }),
      reason: unreadable,
    }),
    "a hundred certificates": () => ({
      signed: signJws({ chain: Array.from({ length: 100 }, () => leaf) }),
      reason: /^has more than 10 certificates$/,
    }),
  });
});

describe("malformed COSE", () => {
  const unreadable = /^has a COSE envelope that cannot be read: /;
  const cbor = (hex: string, more = Buffer.alloc(0)): Signed => ({
    mediaType: "application/cose",
    bytes: Buffer.concat([Buffer.from(hex.replace(/ /g, ""), "hex"), more]),
  });
  const [protectedBytes, unprotected, payload, signature] = coseParts({ chain });
  const parts = [protectedBytes, unprotected, payload, signature];
  /** The protected header with CBOR behind its last entry, and with one entry more. */
  const withEntry = (entry: string) => {
    const bytes = Buffer.concat([protectedBytes, Buffer.from(entry.replace(/ /g, ""), "hex")]);
    bytes[0] = (bytes[0] ?? 0) + 1;
    return coseOf(new Tag(18, signCoseHeader({ chain }, bytesOf(bytes))));
  };
  rejectsEach({
    "no CBOR": () => ({ signed: cbor("ff"), reason: unreadable }),
    nothing: () => ({ signed: cbor(""), reason: unreadable }),
    "no tag": () => ({ signed: coseOf(parts), reason: /it is not tagged as COSE_Sign1$/ }),
    "the tag of COSE_Sign": () => ({ signed: coseOf(new Tag(98, parts)), reason: /it is not tagged as COSE_Sign1$/ }),
    "the tag twice": () => ({ signed: coseOf(new Tag(18, new Tag(18, parts))), reason: /does not have four parts$/ }),
    "three parts": () => ({ signed: coseOf(new Tag(18, parts.slice(0, 3))), reason: /does not have four parts$/ }),
    "five parts": () => ({ signed: coseOf(new Tag(18, [...parts, 0])), reason: /does not have four parts$/ }),
    "a payload that is elsewhere": () => ({
      signed: coseOf(new Tag(18, [protectedBytes, unprotected, null, signature])),
      reason: /a byte string is missing$/,
    }),
    "a payload that is a text": () => ({
      signed: coseOf(new Tag(18, [protectedBytes, unprotected, "{}", signature])),
      reason: /a byte string is missing$/,
    }),
    "an empty protected header": () => ({
      signed: coseOf(new Tag(18, signCoseHeader({ chain }, new Uint8Array(0)))),
      reason: unreadable,
    }),
    "a protected header that is no map": () => ({
      signed: coseOf(new Tag(18, signCoseHeader({ chain }, encode([1, -7])))),
      reason: /a map is missing$/,
    }),
    "the same protected header twice": () => ({ signed: withEntry("01 26"), reason: /Duplicate key/ }),
    "the same protected header twice, in another encoding": () => ({
      signed: withEntry("1801 26"),
      reason: /Unexpectedly long integer encoding/,
    }),
    "the same unprotected header twice": () => {
      const once = Buffer.from(encode(unprotected));
      const twice = Buffer.concat([Buffer.from([0xa2]), once.subarray(1), once.subarray(1)]);
      const [one, two, three] = [protectedBytes, payload, signature].map((part) => Buffer.from(encode(part)));
      return {
        signed: cbor("d2 84", Buffer.concat([one, twice, two, three].map((part) => part ?? Buffer.alloc(0)))),
        reason: /Duplicate key/,
      };
    },
    "a header that is protected and unprotected": () => ({
      signed: coseOf(new Tag(18, [protectedBytes, new Map([...unprotected, [1, -7]]), payload, signature])),
      reason: /a header occurs twice$/,
    }),
    "bytes behind the protected header": () => {
      const bytes = Buffer.concat([protectedBytes, Buffer.from([0])]);
      return { signed: coseOf(new Tag(18, signCoseHeader({ chain }, bytesOf(bytes)))), reason: /Extra data/ };
    },
    "bytes behind the envelope": () => {
      const { mediaType, bytes } = signCose({ chain });
      return { signed: { mediaType, bytes: Buffer.concat([bytes, Buffer.from([0])]) }, reason: /Extra data/ };
    },
    "an array of indefinite length": () => ({
      signed: cbor("d2 9f 40 a0 40 40 ff"),
      reason: /Streaming not supported$/,
    }),
    "an endless string of indefinite length": () => ({
      signed: cbor("d2 84 5f", Buffer.alloc(240_000, 0x40)),
      reason: /Streaming not supported$/,
    }),
    "deeply nested arrays": () => ({
      signed: cbor("d2", Buffer.alloc(240_000, 0x81)),
      reason: /Maximum depth 8 exceeded$/,
    }),
    "deeply nested tags": () => ({
      signed: cbor("d2", Buffer.alloc(240_000, 0xc1)),
      reason: /Maximum depth 8 exceeded$/,
    }),
    "deeply nested maps in the unprotected header": () => ({
      signed: cbor("d2 84 40", Buffer.from("a100".repeat(1000), "hex")),
      reason: /Maximum depth 8 exceeded$/,
    }),
    "a byte string longer than the envelope": () => ({ signed: cbor("d2 84 5a ffffffff 00"), reason: unreadable }),
    "an array longer than the envelope": () => ({ signed: cbor("d2 9b 00000000ffffffff"), reason: unreadable }),
    "a number instead of the tag's content": () => ({ signed: cbor("d2 00"), reason: /does not have four parts$/ }),
    "a text that is not UTF-8": () => ({ signed: cbor("d2 84 40 a1 61 ff 00 40 40"), reason: unreadable }),
    "an algorithm that is not signed": () => {
      const [headers, others, ...rest] = coseParts({ chain }, [[1, undefined]]);
      return {
        signed: coseOf(new Tag(18, [headers, new Map([...others, [1, -7]]), ...rest])),
        reason: /^names another algorithm \(unsupported\) than its key has \(ES256\)$/,
      };
    },
    "one certificate without a list": () => ({
      signed: coseOf(new Tag(18, [protectedBytes, new Map([[33, bytesOf(leaf.der)]]), payload, signature])),
      reason: /a list is missing$/,
    }),
    "a certificate that is a text": () => ({
      signed: coseOf(new Tag(18, [protectedBytes, new Map([[33, [leaf.pem]]]), payload, signature])),
      reason: /a byte string is missing$/,
    }),
    "no certificates": () => ({
      signed: coseOf(new Tag(18, [protectedBytes, new Map(), payload, signature])),
      reason: /a list is missing$/,
    }),
    "a timestamp that is a text": () => ({
      signed: coseOf(
        new Tag(18, [
          protectedBytes,
          new Map([...unprotected, ["io.cncf.notary.timestampSignature", "x"]]),
          payload,
          signature,
        ]),
      ),
      reason: /a byte string is missing$/,
    }),
  });
});
