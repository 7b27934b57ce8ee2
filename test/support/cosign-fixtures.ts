/** Signatures that cosign has made: see test/fixtures/cosign. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Digest } from "../../provider/reference/digest";
import type { SignatureCandidate } from "../../provider/signature/candidate";
import { type CosignPolicy, parseCosignPolicy } from "../../provider/signature/cosign-policy";
import { type NewCandidate, readCandidate } from "./signature-candidate";

const folder = path.join(__dirname, "../fixtures/cosign");
/** A public key in PEM. */
export const readFixtureKey = (name: "cosign" | "other" | "p384" | "p521" | "rsa2048" | "rsa4096" | "ed25519") =>
  readFileSync(path.join(folder, "keys", `${name}.pub`), "utf8");
export const fixtureRoot = readFileSync(path.join(folder, "keys/trusted_root.json"), "utf8");

export const IMAGE = "sha256:0775a848609c85d488d9a8a112e97841c23c63d9aed14c62e2a8fd7f8db43ae8" as Digest;
export const PLATFORM_IMAGE = "sha256:8ec09b4a0eec99c652ce0ec448fa25c5f58f2e72f1a0f58f3dfcacda0c787db7" as Digest;

export const ISSUER = "https://token.actions.githubusercontent.com";
export const SUBJECT = "https://github.com/octo/app/.github/workflows/release.yml@refs/tags/v2";

const MANIFESTS = {
  "bundle-by-key": "sha256:c2a784ce472a56cb0b48babfa8c0a79ac31d671acccd3a0a6e96c2f1396bb29f",
  "bundle-of-a-platform": "sha256:7c6dc1dd8c8dcad537bf56e372f338b80c5a78a2acd6f3016a8594f5812bdd69",
  "simple-signing-by-key": "sha256:ea27e57b9c3ebd3d1293f6cf0ca6a13c07c01b0fdec7eecd70904bcffc345eec",
  "bundle-by-p384": "sha256:0b497e949029ced8b2d05bc08b027a005388da865eeb16df31b39dfd1827287f",
  "bundle-by-ed25519ph": "sha256:4e48aabe1acef39703e9c013c75ddba739ad4384ec2b679ab16c8b3aaa186a7e",
  "simple-signing-by-p521": "sha256:143220ed43bb3134a7edf8d11b4ed1e82d097c8e7e3e217de4363b71e80ae4f1",
  "simple-signing-as-referrer": "sha256:d95d67c7d32ffa0dd3b5d77d3830767b175b91da2eae1ea2d4775b48acd7a6ed",
  "attestation-by-key": "sha256:143948f3c50b01506f2ec16ebbf032a67fbe7ccc5490d1f2415b717da43c66ee",
  "bundle-by-identity": "sha256:7fe744c17320bf695a1e210f2420f04df95937ebed55d09ae466a8e1b992979b",
  "simple-signing-by-identity": "sha256:527eacfff52b9892f73df789b8bed79f97d6300ee2f67f611c49560580a18c48",
} as const;

export type FixtureName = keyof typeof MANIFESTS;

export function readFixture(name: FixtureName): SignatureCandidate {
  return readCandidate(path.join(folder, name), MANIFESTS[name]);
}

/** The manifest as it was stored, for a test to change or push. */
export async function storedFixture(name: FixtureName): Promise<NewCandidate> {
  const { manifest, blob } = readFixture(name);
  const { artifactType, config, subject } = manifest;
  const layers = manifest.layers.map(async (layer) => ({ ...layer, content: await blob(layer, layer.size) }));
  return {
    layers: await Promise.all(layers),
    ...(config && { configType: config.mediaType }),
    ...(artifactType !== undefined && { artifactType }),
    ...(subject && { subject: subject.digest }),
  };
}

/** Valid arguments as a policy. */
export function cosignPolicy(value: unknown): CosignPolicy {
  const parsed = parseCosignPolicy("verify.cosign", value);
  if ("problems" in parsed)
    throw new Error(parsed.problems.map(({ object, reason }) => `${object} ${reason}`).join("\n"));
  return parsed;
}
