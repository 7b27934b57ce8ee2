/** Timestamps that prove nothing: each is rejected, for its own reason. */
import { integer, octets, sequence, tlv } from "./der";
import { CA_EXTENSIONS, extension, issue, PURPOSE, TSA_EXTENSIONS, type Wish } from "./notation-certificates";
import { signCose, signJws } from "./notation-envelopes";
import { asBer, attribute, type Stamping, timestampOf } from "./notation-timestamps";
import { chain, type Forgery, intermediate, leaf, otherRoot, rejectsEach, root, tsa, tsaRoot } from "./notation-world";

const policy = { tsa: [tsaRoot.pem] };

/** A signature with a timestamp of one's own choice, under a policy that wants one. */
function stamped(stamping: Partial<Stamping>, reason: RegExp, sign = signCose): Forgery {
  const timestamp = (signature: Buffer) => timestampOf(signature, { tsa, ...stamping });
  return { signed: sign({ chain, timestamp }), policy, reason };
}

/** A timestamp of an authority of one's own choice, below the trusted root. */
function stampedBy(wish: Wish, reason: RegExp): Forgery {
  return stamped({ tsa: issue("Own TSA", { issuer: tsaRoot, extensions: TSA_EXTENSIONS, ...wish }) }, reason);
}

const usage = extension.keyUsage([0]);
const purposes = (list: readonly string[], critical = true) => ({
  extensions: [usage, extension.extendedKeyUsage(list, { critical })],
});

describe("what is timestamped", () => {
  rejectsEach({
    "no timestamp, although the certificates are valid": () => ({
      signed: signCose({ chain }),
      policy,
      reason: /^has no timestamp, which trustStore.tsa requires$/,
    }),
    "the timestamp of another signature": () => {
      const other = timestampOf(Buffer.from("another signature"), { tsa });
      return {
        signed: signJws({ chain, timestamp: () => other }),
        policy,
        reason: /^has a timestamp of another signature$/,
      };
    },
    "a timestamp of the signature's text instead of its bytes": () => ({
      signed: signJws({
        chain,
        timestamp: (signature) => timestampOf(Buffer.from(signature.toString("base64url")), { tsa }),
      }),
      policy,
      reason: /^has a timestamp of another signature$/,
    }),
    "a hash with SHA-1": () => stamped({ imprintHash: "sha1" }, /^has a timestamp with a hash other than SHA-256/),
    "a signature that has expired, though it was timestamped in time": () => ({
      signed: signJws({
        chain,
        headers: {
          "io.cncf.notary.expiry": "2026-11-02T00:00:00Z",
          crit: ["io.cncf.notary.signingScheme", "io.cncf.notary.expiry"],
        },
        timestamp: (signature) => timestampOf(signature, { tsa }),
      }),
      policy,
      reason: /^expired at 2026-11-02/,
    }),
  });
});

describe("time", () => {
  const old = [issue("signer", { issuer: root, from: "2026-10-01", to: "2026-11-01" }), root];
  const at = (time: string, more: Partial<Stamping>, reason: RegExp): Forgery => ({
    signed: signCose({ chain: old, timestamp: (signature) => timestampOf(signature, { tsa, time, ...more }) }),
    policy,
    reason,
  });
  const outside =
    /^was timestamped at .* with the certificate ".*CN=signer", which expired at 2026-11-01T00:00:00.000Z$/;
  rejectsEach({
    "a timestamp after the certificate has expired": () => at("2026-11-01T00:00:01Z", {}, outside),
    "a timestamp before the certificate is valid": () =>
      at("2026-09-30T23:59:59Z", {}, /CN=signer", which is valid from 2026-10-01/),
    "a timestamp whose accuracy reaches past the certificate": () =>
      at("2026-10-31T23:59:50Z", { accuracy: [integer(11)] }, outside),
    "a timestamp whose policy implies an accuracy that reaches past the certificate": () =>
      at("2026-11-01T00:00:00Z", { policy: "0.4.0.2023.1.1" }, outside),
    "a timestamp whose accuracy reaches before the certificate": () =>
      at("2026-10-01T00:00:10Z", { accuracy: [integer(11)] }, /CN=signer", which is valid from 2026-10-01/),
    "a timestamp whose accuracy reaches past the certificate by a microsecond": () =>
      at("2026-10-31T23:59:59Z", { accuracy: [integer(999, 0x80), integer(1001, 0x81)] }, outside),
    "an authority whose certificate had expired": () =>
      stampedBy({ to: "2026-10-31" }, /^has a timestamp outside the validity of ".*CN=Own TSA"$/),
    "an authority whose certificate was not valid yet": () =>
      stampedBy({ from: "2026-11-02" }, /^has a timestamp outside the validity of ".*CN=Own TSA"$/),
    "a signing time outside the validity of the authority's certificate": () =>
      stamped({ signingTime: "2031-01-01" }, /^has a timestamp outside the validity of ".*CN=TSA"$/),
    "an accuracy that is negative": () =>
      stamped(
        { accuracy: [tlv(2, Buffer.from([0xff]))] },
        /^has a timestamp that cannot be read: its accuracy is malformed$/,
      ),
  });
});

describe("authorities", () => {
  const otherUsage = /must have the extended key usage timeStamping, and no other$/;
  rejectsEach({
    "an authority that is not trusted": () => {
      const own = issue("TSA", { issuer: otherRoot, extensions: TSA_EXTENSIONS });
      return stamped(
        { tsa: own, others: [otherRoot] },
        /^has a timestamp by ".*CN=TSA", which no certificate of trustStore.tsa has issued$/,
      );
    },
    "an authority with the names of the trusted one": () => {
      const own = issue("TSA Root", { extensions: CA_EXTENSIONS });
      return stamped(
        { tsa: issue("TSA", { issuer: own, extensions: TSA_EXTENSIONS }), others: [own] },
        /trustStore.tsa has issued$/,
      );
    },
    "an authority below the CA for signers": () =>
      stamped(
        { tsa: issue("TSA", { issuer: root, extensions: TSA_EXTENSIONS }), others: [root] },
        /trustStore.tsa has issued$/,
      ),
    "the signer as its own authority": () =>
      stamped({ tsa: leaf, others: [intermediate, root] }, /trustStore.tsa has issued$/),
    "a self-signed authority": () =>
      stamped({ tsa: issue("TSA", { extensions: TSA_EXTENSIONS }) }, /trustStore.tsa has issued$/),
    "a certificate without an extended key usage": () => stampedBy({ extensions: [usage] }, otherUsage),
    "a certificate for code signing": () => stampedBy(purposes([PURPOSE.codeSigning]), otherUsage),
    "a certificate for any purpose": () => stampedBy(purposes([PURPOSE.any]), otherUsage),
    "a certificate for timestamping and more": () =>
      stampedBy(purposes([PURPOSE.timeStamping, PURPOSE.codeSigning]), otherUsage),
    "a purpose that is not critical": () =>
      stampedBy(purposes([PURPOSE.timeStamping], false), /has an extended key usage that is not critical$/),
    "a CA as the authority": () =>
      stampedBy(
        { extensions: [extension.basicConstraints(true), ...TSA_EXTENSIONS] },
        /has a timestamp with a certificate chain in which ".*CN=Own TSA" signs although it is a CA certificate$/,
      ),
    "a certificate without a key usage": () =>
      stampedBy({ extensions: TSA_EXTENSIONS.slice(1) }, /lacks the key usage digitalSignature$/),
    "a certificate with SHA-1": () => stampedBy({ hash: "sha1" }, /is not signed with SHA-256, SHA-384 or SHA-512$/),
    "a key with RSA of 1024 bits": () => stampedBy({ key: "rsa1024" }, /has an unsupported key \(RSA 1024\)$/),
    "an intermediate certificate that is no CA": () => {
      const own = issue("Own CA", { issuer: tsaRoot, extensions: TSA_EXTENSIONS });
      return stamped(
        { tsa: issue("Own TSA", { issuer: own, extensions: TSA_EXTENSIONS }), others: [own] },
        /in which ".*CN=Own CA" is not a CA certificate$/,
      );
    },
    "an intermediate certificate for code signing only": () => {
      const extensions = [...CA_EXTENSIONS, extension.extendedKeyUsage([PURPOSE.codeSigning])];
      const own = issue("Own CA", { issuer: tsaRoot, extensions });
      return stamped(
        { tsa: issue("Own TSA", { issuer: own, extensions: TSA_EXTENSIONS }), others: [own] },
        /in which ".*CN=Own CA" must not issue certificates for timestamping$/,
      );
    },
    "an intermediate certificate that is missing": () => {
      const own = issue("Own CA", { issuer: tsaRoot, extensions: CA_EXTENSIONS });
      return stamped(
        { tsa: issue("Own TSA", { issuer: own, extensions: TSA_EXTENSIONS }) },
        /trustStore.tsa has issued$/,
      );
    },
    "two CAs that issued each other": () => {
      const one = issue("One", { extensions: CA_EXTENSIONS });
      const two = issue("Two", { issuer: one, extensions: CA_EXTENSIONS });
      const again = issue("One", { issuer: two, keyOf: one, extensions: CA_EXTENSIONS });
      const own = issue("Own TSA", { issuer: two, extensions: TSA_EXTENSIONS });
      return stamped({ tsa: own, others: [two, again] }, /trustStore.tsa has issued$/);
    },
    "a hundred certificates": () =>
      stamped({ others: Array.from({ length: 100 }, () => tsaRoot) }, /it has more than 10 certificates$/),
  });
});

describe("tokens", () => {
  rejectsEach({
    "no token": () => ({
      signed: signJws({ chain, timestamp: () => Buffer.from("timestamp") }),
      policy,
      reason: /^has a timestamp that cannot be read/,
    }),
    "an empty token": () => ({
      signed: signJws({ chain, timestamp: () => Buffer.alloc(0) }),
      policy,
      reason: /^has a timestamp that cannot be read/,
    }),
    "a time that was changed": () =>
      stamped(
        { tamper: (content) => Buffer.from(content.toString("latin1").replace("20261101", "20261001"), "latin1") },
        /^has a timestamp whose content was changed$/,
      ),
    "a signature that was changed": () =>
      stamped({ spoilSignature: true }, /^has a timestamp whose signature is wrong$/),
    "a signature by another key than the certificate's": () =>
      stamped({ key: otherRoot.key }, /^has a timestamp whose signature is wrong$/),
    "a signature by an RSA key, though the certificate has an EC key": () =>
      stamped({ key: issue("x", { key: "rsa2048" }).key }, /^has a timestamp with an unsupported signature algorithm$/),
    "a digest with SHA-1": () => stamped({ digestHash: "sha1" }, /its hash is not SHA-256, SHA-384 or SHA-512$/),
    "a signature with SHA-1": () =>
      stamped({ signatureHash: "sha1" }, /^has a timestamp with an unsupported signature algorithm$/),
    "a signature with another hash than the digest": () =>
      stamped({ signatureHash: "sha512" }, /^has a timestamp with an unsupported signature algorithm$/),
    "no signed attributes": () => stamped({ withAttributes: false }, /it has no signed attributes$/),
    "no message digest among the signed attributes": () =>
      stamped({ withMessageDigest: false }, /without the signed attributes content-type and message-digest$/),
    "a signed attribute with another content type": () =>
      stamped(
        { attributeType: "1.2.840.113549.1.7.1" },
        /without the signed attributes content-type and message-digest$/,
      ),
    "a signed attribute twice": () => {
      const moreAttributes = [attribute("1.2.840.113549.1.9.4", octets(Buffer.alloc(32)))];
      return stamped({ moreAttributes }, /a signed attribute occurs twice$/);
    },
    "no signing certificate among the signed attributes": () =>
      stamped({ attributeOf: null }, /it lacks the signed attribute signing-certificate-v2$/),
    "a signing certificate that the token does not contain": () =>
      stamped({ attributeOf: otherRoot }, /it does not contain the certificate of its signer$/),
    "a signing certificate that is not the signer's": () =>
      stamped(
        { attributeOf: tsaRoot, others: [tsaRoot] },
        /^has a timestamp that names another certificate as its signer$/,
      ),
    "a signer that is not the signing certificate's": () =>
      stamped({ signerOf: otherRoot }, /^has a timestamp that names another certificate as its signer$/),
    "no certificates": () => stamped({ withCertificates: false }, /it does not contain the certificate of its signer$/),
    "two signers": () => stamped({ signers: 2 }, /there must be exactly one signer$/),
    "no signer": () => stamped({ signers: 0 }, /there must be exactly one signer$/),
    "signed data that is no timestamp": () =>
      stamped({ contentType: "1.2.840.113549.1.7.1" }, /its content is not a TSTInfo$/),
    "another version": () => stamped({ version: 2 }, /its version is not 1$/),
    "bytes behind the token": () => ({
      signed: signCose({
        chain,
        timestamp: (signature) => Buffer.concat([timestampOf(signature, { tsa }), Buffer.from([5, 0])]),
      }),
      policy,
      reason: /^has a timestamp that cannot be read: invalid trailing data$/,
    }),
    "a token of indefinite length": () => ({
      signed: signCose({ chain, timestamp: (signature) => asBer(timestampOf(signature, { tsa })) }),
      policy,
      reason: /indefinite length encoding not supported$/,
    }),
    "a deeply nested token": () => ({
      signed: signCose({
        chain,
        timestamp: () => {
          let nested: Buffer = Buffer.alloc(0);
          for (let depth = 0; depth < 200; depth++) nested = sequence(nested);
          return nested;
        },
      }),
      policy,
      reason: /maximum nesting depth exceeded$/,
    }),
  });
});
