/** Forged signatures in cosign's first form, by key. */
import { constants, createHmac, generateKeyPairSync, sign } from "node:crypto";
import type { Digest } from "../../../provider/reference/digest";
import { IMAGE } from "../../support/cosign-fixtures";
import type { NewCandidate } from "../../support/signature-candidate";
import { type Keys, newKeys } from "../../support/sigstore/certificate-authority";
import {
  payloadFor,
  SIGNATURE_ARTIFACT,
  SIMPLE_SIGNING,
  signatureTag,
  signBytes,
  simpleSigning,
} from "../../support/sigstore/cosign-signer";
import { base64, type Forgery, pemOf, replaced, verify } from "../../support/sigstore/forgery";

const OTHER = `sha256:${"5".repeat(64)}` as Digest;
const SIGNATURE = "dev.cosignproject.cosign/signature";

const keys = newKeys();
const others = newKeys();
const rsa: Keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
const byKey = { key: pemOf(keys) };
const payload = payloadFor(IMAGE);

function flipped(encoded: string): string {
  const bytes = Buffer.from(encoded, "base64");
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  return base64(bytes);
}

/** A layer of cosign's tag with any payload, correctly signed. */
function signedPayload(payload: string | Buffer, signer = keys): NewCandidate {
  return withSignature(payload, signBytes(signer, payload));
}

function withSignature(payload: string | Buffer, signature: Buffer | string): NewCandidate {
  const annotations = { [SIGNATURE]: typeof signature === "string" ? signature : base64(signature) };
  return { layers: [{ mediaType: SIMPLE_SIGNING, content: payload, annotations }] };
}

const ofOneForm: readonly Forgery[] = [
  ["a signature of another image", signedPayload(payloadFor(OTHER)), byKey, /^signs sha256:5+, not this image$/],
  ["a signature by another key", signedPayload(payload, others), byKey, /^was not made with the key sha256:/],
  [
    "a signature of another payload",
    withSignature(payload, signBytes(keys, payloadFor(OTHER))),
    byKey,
    /not made with/,
  ],
  [
    "a signature with a flipped bit",
    withSignature(payload, flipped(base64(signBytes(keys, payload)))),
    byKey,
    /not made/,
  ],
  ["a signature cut short", withSignature(payload, signBytes(keys, payload).subarray(0, 32)), byKey, /not made with/],
  ["a signature of nothing", withSignature(payload, signBytes(keys, "")), byKey, /not made with the key/],
  ["no signature", { layers: [{ mediaType: SIMPLE_SIGNING, content: payload }] }, byKey, /^has no annotation/],
  ["an empty signature", withSignature(payload, ""), byKey, /no valid base64/],
  ["a signature that is not base64", withSignature(payload, "%%%="), byKey, /no valid base64/],
  ["a payload that is not JSON", signedPayload("sha256"), byKey, /is not the JSON of a cosign signature/],
  ["a payload that is not UTF-8", signedPayload(Buffer.from(payload, "utf16le")), byKey, /not the JSON/],
  [
    "a payload that repeats the digest, ours last",
    signedPayload(
      replaced(payload, '"docker-manifest-digest"', `"docker-manifest-digest":"${OTHER}","docker-manifest-digest"`),
    ),
    byKey,
    /not the JSON/,
  ],
  [
    "a payload that repeats the digest, ours first",
    signedPayload(replaced(payload, '},"type"', `,"docker-manifest-digest":"${OTHER}"},"type"`)),
    byKey,
    /not the JSON/,
  ],
  [
    "a payload that repeats a key in another spelling",
    signedPayload(replaced(payload, '"image"', '"\\u0069mage":{"docker-manifest-digest":"x"},"image"')),
    byKey,
    /not the JSON/,
  ],
  [
    "a payload of another type",
    signedPayload(replaced(payload, "cosign container", "atomic container")),
    byKey,
    /not the JSON/,
  ],
  [
    "a payload without a digest",
    signedPayload(replaced(payload, "docker-manifest-digest", "digest")),
    byKey,
    /without a digest/,
  ],
  [
    "a payload with a list of digests",
    signedPayload(replaced(payload, `"${IMAGE}"`, `["${IMAGE}"]`)),
    byKey,
    /without a digest/,
  ],
  [
    "a digest that begins as ours",
    signedPayload(replaced(payload, IMAGE, `${IMAGE}0`)),
    byKey,
    /^signs .*, not this image$/,
  ],
  [
    "a digest in upper case",
    signedPayload(replaced(payload, IMAGE, IMAGE.toUpperCase())),
    byKey,
    /^signs .*, not this image$/,
  ],
  [
    "a digest in an annotation of the signer",
    signedPayload(replaced(payloadFor(OTHER), "null", `{"docker-manifest-digest":"${IMAGE}"}`)),
    byKey,
    /^signs sha256:5+, not this image$/,
  ],
  [
    "a layer of another type",
    {
      layers: [{ ...signatureTag(simpleSigning(keys, IMAGE)).layers[0], mediaType: "application/octet-stream" }],
    } as NewCandidate,
    byKey,
    /^has a layer of the type application\/octet-stream$/,
  ],
  ["no layers", { configType: SIGNATURE_ARTIFACT, layers: [] }, byKey, /^has no layers$/],
  [
    "the only good signature below twenty newer ones",
    signatureTag(simpleSigning(keys, IMAGE), ...Array.from({ length: 20 }, () => simpleSigning(others, IMAGE))),
    byKey,
    /not made with the key .*only the newest 20 signatures were read/,
  ],
  [
    "a payload of a mebibyte",
    signedPayload(replaced(payload, "null", JSON.stringify("x".repeat(1024 * 1024)))),
    byKey,
    /^has a layer of \d+ bytes, which is too large$/,
  ],
  [
    "a referrer of another image",
    { ...signedPayload(payload), subject: OTHER, configType: SIGNATURE_ARTIFACT },
    byKey,
    /^refers to sha256:5+, not to this image$/,
  ],
];

const withOtherAlgorithms: readonly Forgery[] = [
  ["an RSA signature for an EC key", signedPayload(payload, rsa), byKey, /not made with/],
  ["an EC signature for an RSA key", signedPayload(payload), { key: pemOf(rsa) }, /not made with/],
  [
    "an RSA-PSS signature for an RSA key",
    withSignature(
      payload,
      sign("sha256", Buffer.from(payload), { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING }),
    ),
    { key: pemOf(rsa) },
    /not made with/,
  ],
  [
    "an RSA signature with SHA-1",
    withSignature(payload, signBytes(rsa, payload, "sha1")),
    { key: pemOf(rsa) },
    /not made/,
  ],
  ["an EC signature with SHA-1", withSignature(payload, signBytes(keys, payload, "sha1")), byKey, /not made with/],
  [
    "an EC signature as two numbers side by side",
    withSignature(payload, sign("sha256", Buffer.from(payload), { key: keys.privateKey, dsaEncoding: "ieee-p1363" })),
    byKey,
    /not made with/,
  ],
  [
    "an EC signature of two zeros",
    withSignature(payload, Buffer.from("3006020100020100", "hex")),
    byKey,
    /not made with/,
  ],
  [
    "an HMAC with the public key",
    withSignature(payload, createHmac("sha256", pemOf(keys)).update(payload).digest()),
    byKey,
    /not made with/,
  ],
  [
    "the plain payload as an RSA signature",
    withSignature(payload, Buffer.alloc(256, payload)),
    { key: pemOf(rsa) },
    /not made/,
  ],
  [
    "an Ed25519 signature of zeros",
    withSignature(payload, Buffer.alloc(64)),
    { key: pemOf(generateKeyPairSync("ed25519")) },
    /not made with/,
  ],
];

test.each([...ofOneForm, ...withOtherAlgorithms])("%s does not count", async (_what, made, policy, reason) => {
  expect(await verify(made, policy)).toEqual({ rejected: expect.stringMatching(reason) });
});
