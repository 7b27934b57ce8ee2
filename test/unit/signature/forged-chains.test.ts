/** Certificate chains that the Notary Project does not permit: each is rejected, for its own reason. */
import { tlv } from "./der";
import {
  CA_EXTENSIONS,
  extension,
  type Issued,
  issue,
  LEAF_EXTENSIONS,
  PURPOSE,
  type Wish,
} from "./notation-certificates";
import { signCose, signJws } from "./notation-envelopes";
import { chain, intermediate, leaf, otherRoot, rejectsEach, root } from "./notation-world";

/** A chain with an intermediate certificate of one's own choice, below the trusted root. */
function below(wish: Wish): readonly Issued[] {
  const ca = issue("CA", { issuer: root, extensions: CA_EXTENSIONS, ...wish });
  return [issue("signer", { issuer: ca }), ca, root];
}

/** A chain with a leaf of one's own choice. */
function leafWith(wish: Wish): readonly Issued[] {
  return [issue("signer", { issuer: root, ...wish }), root];
}

const leafExtensions = (...extensions: readonly Buffer[]) => leafWith({ extensions });
const codeSigning = extension.extendedKeyUsage([PURPOSE.codeSigning]);
const usage = extension.keyUsage([0]);
const isCa = extension.basicConstraints(true);
const signsCertificates = extension.keyUsage([5, 6]);

describe("time", () => {
  rejectsEach({
    "a signer whose certificate has expired": () => ({
      signed: signJws({ chain: leafWith({ to: "2026-11-30" }) }),
      reason: /^has the certificate ".*CN=signer", which expired at 2026-11-30/,
    }),
    "a signer whose certificate is not valid yet": () => ({
      signed: signCose({ chain: leafWith({ from: "2026-12-02" }) }),
      reason: /^has the certificate ".*CN=signer", which is valid from 2026-12-02/,
    }),
    "an intermediate certificate that has expired": () => ({
      signed: signJws({ chain: below({ to: "2026-11-30" }) }),
      reason: /^has the certificate ".*CN=CA", which expired/,
    }),
    "a root that has expired": () => {
      const old = issue("Old Root", { extensions: CA_EXTENSIONS, to: "2026-11-30" });
      return {
        signed: signJws({ chain: [issue("signer", { issuer: old }), old] }),
        policy: { ca: [old.pem] },
        reason: /^has the certificate ".*CN=Old Root", which expired/,
      };
    },
  });
});

describe("issuers", () => {
  const notIssued = /in which ".*" is not issued by the next certificate$/;
  rejectsEach({
    "a signer's certificate as a CA": () => ({
      signed: signJws({ chain: [issue("evil", { issuer: leaf }), ...chain] }),
      reason: /in which ".*CN=signer" is not a CA certificate$/,
    }),
    "an intermediate certificate with CA:FALSE": () => ({
      signed: signJws({ chain: below({ extensions: [extension.basicConstraints(false), signsCertificates] }) }),
      reason: /in which ".*CN=CA" is not a CA certificate$/,
    }),
    "an intermediate certificate without basic constraints": () => ({
      signed: signJws({ chain: below({ extensions: [signsCertificates] }) }),
      reason: /in which ".*CN=CA" is not a CA certificate$/,
    }),
    "basic constraints that are not critical": () => ({
      signed: signJws({
        chain: below({ extensions: [extension.basicConstraints(true, { critical: false }), signsCertificates] }),
      }),
      reason: /in which ".*CN=CA" has basic constraints that are not critical$/,
    }),
    "a CA without a key usage": () => ({
      signed: signJws({ chain: below({ extensions: [isCa] }) }),
      reason: /in which ".*CN=CA" lacks the key usage keyCertSign$/,
    }),
    "a CA that must not sign certificates": () => ({
      signed: signCose({ chain: below({ extensions: [isCa, extension.keyUsage([0, 6])] }) }),
      reason: /in which ".*CN=CA" lacks the key usage keyCertSign$/,
    }),
    "a CA with a key usage that is not critical": () => ({
      signed: signJws({ chain: below({ extensions: [isCa, extension.keyUsage([5], { critical: false })] }) }),
      reason: /in which ".*CN=CA" has a key usage that is not critical$/,
    }),
    "more CAs than the path length permits": () => {
      const short = extension.basicConstraints(true, { pathLength: 0 });
      const ca = issue("CA", { issuer: root, extensions: [short, signsCertificates] });
      const sub = issue("Sub CA", { issuer: ca, extensions: CA_EXTENSIONS });
      return {
        signed: signJws({ chain: [issue("signer", { issuer: sub }), sub, ca, root] }),
        reason: /in which ".*CN=CA" may have at most 0 CA certificates below it$/,
      };
    },
    "a chain in the wrong order": () => ({
      signed: signJws({ chain: [leaf, root, intermediate] }),
      reason: notIssued,
    }),
    "a chain from the root to the signer": () => ({
      signed: signJws({ chain: [root, intermediate, leaf], key: leaf.key }),
      reason: /^has a signature that does not belong to its content$/,
    }),
    "a chain without its root": () => ({
      signed: signJws({ chain: [leaf, intermediate] }),
      policy: { ca: [intermediate.pem] },
      reason: /in which ".*CN=Intermediate" is the last but not self-signed$/,
    }),
    "only the signer, below a CA": () => ({
      signed: signJws({ chain: [leaf] }),
      reason: /in which ".*CN=signer" is the last but not self-signed$/,
    }),
    "a chain with a certificate missing": () => ({ signed: signCose({ chain: [leaf, root] }), reason: notIssued }),
    "a chain with a stranger at its end": () => ({
      signed: signJws({ chain: [...chain, otherRoot] }),
      reason: /in which ".*CN=Root" is self-signed but not the last$/,
    }),
    "the trusted root behind a chain of one's own": () => {
      const own = issue("Root", { extensions: CA_EXTENSIONS });
      return {
        signed: signJws({ chain: [issue("signer", { issuer: own }), own, root] }),
        reason: /in which ".*CN=Root" is self-signed but not the last$/,
      };
    },
    "the trusted root in place of the real issuer, which has its name": () => {
      const own = issue("Root", { extensions: CA_EXTENSIONS });
      return { signed: signJws({ chain: [issue("signer", { issuer: own }), root] }), reason: notIssued };
    },
    "the root twice": () => ({
      signed: signJws({ chain: [...chain, root] }),
      reason: /in which ".*CN=Root" is self-signed but not the last$/,
    }),
    "a certificate that names its issuer but is signed by another key": () => ({
      signed: signJws({ chain: leafWith({ signedBy: otherRoot.key }) }),
      reason: notIssued,
    }),
    "a certificate that is signed by its issuer but names another": () => ({
      signed: signJws({ chain: [issue("signer", { issuer: otherRoot, signedBy: root.key }), root] }),
      reason: notIssued,
    }),
    "a certificate that was changed after it was signed": () => {
      const [signer, issuer] = leafWith({});
      if (!signer || !issuer) throw new Error("no chain");
      const der = Buffer.from(signer.der);
      // The last letter of the common name: "signeq".
      const at = der.lastIndexOf("signer") + 5;
      der[at] = (der[at] ?? 0) ^ 3;
      return { signed: signJws({ chain: [{ ...signer, der }, issuer] }), reason: notIssued };
    },
  });
});

describe("signers", () => {
  rejectsEach({
    "a CA that signs images": () => ({
      signed: signJws({ chain: [intermediate, root] }),
      reason: /in which ".*CN=Intermediate" signs although it is a CA certificate$/,
    }),
    "a root that signs images": () => ({
      signed: signJws({ chain: [root] }),
      reason: /in which ".*CN=Root" signs although it is a CA certificate$/,
    }),
    "no key usage": () => ({
      signed: signJws({ chain: leafExtensions(codeSigning) }),
      reason: /lacks the key usage digitalSignature$/,
    }),
    "no extensions at all": () => ({
      signed: signJws({ chain: leafExtensions() }),
      reason: /lacks the key usage digitalSignature$/,
    }),
    "a key usage without digital signatures": () => ({
      signed: signJws({ chain: leafExtensions(extension.keyUsage([1]), codeSigning) }),
      reason: /lacks the key usage digitalSignature$/,
    }),
    "a key usage that is not critical": () => ({
      signed: signJws({ chain: leafExtensions(extension.keyUsage([0], { critical: false }), codeSigning) }),
      reason: /has a key usage that is not critical$/,
    }),
    "a key that may also encrypt": () => ({
      signed: signJws({ chain: leafExtensions(extension.keyUsage([0, 2]), codeSigning) }),
      reason: /must not have the key usage keyEncipherment$/,
    }),
    "a key that may also sign certificates": () => ({
      signed: signJws({ chain: leafExtensions(extension.keyUsage([0, 5]), codeSigning) }),
      reason: /must not have the key usage keyCertSign$/,
    }),
    "a key usage with nine bits": () => ({
      signed: signJws({ chain: leafExtensions(extension.keyUsage([0, 8]), codeSigning) }),
      reason: /must not have the key usage decipherOnly$/,
    }),
    "the certificate of a web server": () => ({
      signed: signJws({
        chain: leafExtensions(usage, extension.extendedKeyUsage([PURPOSE.codeSigning, PURPOSE.serverAuth])),
      }),
      reason: /must not have the extended key usage serverAuth$/,
    }),
    "any purpose": () => ({
      signed: signJws({ chain: leafExtensions(usage, extension.extendedKeyUsage([PURPOSE.any])) }),
      reason: /must not have the extended key usage anyExtendedKeyUsage$/,
    }),
    ...Object.fromEntries(
      (["clientAuth", "emailProtection", "OCSPSigning"] as const).map((purpose) => [
        `a certificate for ${purpose} as well`,
        () => ({
          signed: signJws({
            chain: leafExtensions(usage, extension.extendedKeyUsage([PURPOSE.codeSigning, PURPOSE[purpose]])),
          }),
          reason: new RegExp(`must not have the extended key usage ${purpose}$`),
        }),
      ]),
    ),
    "the certificate of a timestamp authority": () => ({
      signed: signCose({ chain: leafExtensions(usage, extension.extendedKeyUsage([PURPOSE.timeStamping])) }),
      reason: /must not have the extended key usage timeStamping$/,
    }),
    "an extension twice, the second of which is worse": () => ({
      signed: signJws({ chain: leafExtensions(usage, extension.keyUsage([0, 5]), codeSigning) }),
      reason: /^has a certificate that cannot be read: an extension occurs twice$/,
    }),
    "a name in UniversalString, which nobody uses": () => ({
      signed: signJws({
        chain: leafWith({
          text: (text) => tlv(0x1c, Buffer.from([...text].flatMap((letter) => [0, 0, 0, letter.charCodeAt(0)]))),
        }),
      }),
      reason: /^has a certificate that cannot be read: a name is not a text$/,
    }),
    "a name that is not UTF-8": () => ({
      signed: signJws({ chain: leafWith({ text: () => tlv(0x0c, Buffer.from([0xff])) }) }),
      reason: /^has a certificate that cannot be read/,
    }),
    "a malformed extension": () => ({
      signed: signJws({ chain: leafExtensions(extension.make("2.5.29.15", true, Buffer.from("0500", "hex"))) }),
      reason: /^has a certificate that cannot be read: not a bit string$/,
    }),
  });
});

describe("algorithms", () => {
  rejectsEach({
    "RSA with 1024 bits": () => ({
      signed: signJws({ chain: leafWith({ key: "rsa1024" }) }),
      reason: /^is signed with an unsupported key \(RSA 1024\)$/,
    }),
    "RSA with a length that has no algorithm": () => ({
      signed: signJws({ chain: leafWith({ key: "rsa2560" }) }),
      reason: /^is signed with an unsupported key \(RSA 2560\)$/,
    }),
    "another curve": () => ({
      signed: signCose({ chain: leafWith({ key: "secp256k1" }) }),
      reason: /^is signed with an unsupported key \(EC secp256k1\)$/,
    }),
    Ed25519: () => ({
      signed: signJws({ chain: leafWith({ key: "ed25519" }) }),
      reason: /^is signed with an unsupported key \(ed25519\)$/,
    }),
    "a CA with RSA of 1024 bits": () => ({
      signed: signJws({ chain: below({ key: "rsa1024" }) }),
      reason: /in which ".*CN=CA" has an unsupported key \(RSA 1024\)$/,
    }),
    "a signer's certificate with SHA-1": () => ({
      signed: signJws({ chain: leafWith({ hash: "sha1" }) }),
      reason: /in which ".*CN=signer" is not signed with SHA-256, SHA-384 or SHA-512$/,
    }),
    "an intermediate certificate with SHA-1": () => ({
      signed: signJws({ chain: below({ hash: "sha1" }) }),
      reason: /in which ".*CN=CA" is not signed with SHA-256, SHA-384 or SHA-512$/,
    }),
    "a certificate with RSASSA-PSS and its default hash, which is SHA-1": () => {
      const rsaRoot = issue("RSA Root", { extensions: CA_EXTENSIONS, key: "rsa2048" });
      return {
        signed: signJws({ chain: [issue("signer", { issuer: rsaRoot, pss: "sha1" }), rsaRoot] }),
        policy: { ca: [rsaRoot.pem] },
        reason: /in which ".*CN=signer" is not signed with SHA-256/,
      };
    },
    "a root with SHA-1 and RSA": () => {
      const old = issue("Old Root", { extensions: CA_EXTENSIONS, key: "rsa2048", hash: "sha1" });
      return {
        signed: signJws({ chain: [issue("signer", { issuer: old, extensions: LEAF_EXTENSIONS }), old] }),
        policy: { ca: [old.pem] },
        reason: /in which ".*CN=Old Root" is not signed with SHA-256/,
      };
    },
  });
});
