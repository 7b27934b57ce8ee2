/** An image with everything that may belong to it, signed by real tools, and how much of it is in another repository. */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { createTar } from "acr-emulator";
import { NOTATION } from "../support/emulator";
import { CA_EXTENSIONS, issue } from "../unit/signature/notation-certificates";
import { signJws } from "../unit/signature/notation-envelopes";
import type { Cosign, SignatureForm } from "./cosign";
import type { Crane } from "./crane";
import type { Oras, Referrer } from "./oras";

export interface Clients {
  readonly crane: Crane;
  readonly oras: Oras;
  readonly cosign: Cosign;
}

/** What belongs to an image: how many of each kind, and whether cosign accepts the signatures. */
export interface Belongings {
  /** Referrers of the index. */
  readonly index: number;
  /** Referrers of the images of single platforms. */
  readonly children: number;
  /** Referrers of referrers. */
  readonly nested: number;
  /** The suffixes of the tags with cosign's older signatures and attestations. */
  readonly tags: readonly string[];
  /** The forms of signatures that `cosign verify` accepts. */
  readonly verified: readonly SignatureForm[];
}

/** Everything that {@link pushSignedImage} pushes. */
export const COMPLETE: Belongings = {
  index: 3,
  children: 2,
  nested: 1,
  tags: [".sig", ".att"],
  verified: ["bundle", "tag"],
};

export const ATTESTATION = "spdxjson";
const LAYER_BYTES = 4 * 1024 * 1024;

/** Pushes an index of two platforms with one layer each, and returns its digest. */
export async function pushIndex({ crane }: Clients, reference: string): Promise<string> {
  const children: string[] = [];
  for (const architecture of ["amd64", "arm64"]) {
    const layer = path.join(crane.home, `${architecture}.tar.gz`);
    await writeFile(layer, gzipSync(createTar("content", randomBytes(LAYER_BYTES))));
    const child = `${reference}-${architecture}`;
    await crane.run("append", "--oci-empty-base", "--new_layer", layer, "--new_tag", child);
    await crane.run("mutate", child, "--set-platform", `linux/${architecture}`, "--tag", child);
    children.push("--manifest", child);
  }
  await crane.run("index", "append", "--tag", reference, ...children);
  return crane.digest(reference);
}

/** Signs an index and its images in all forms. */
export async function signEverything({ crane, oras, cosign }: Clients, reference: string): Promise<void> {
  const { repository, index, children, content } = await partsOf(crane, reference);
  const predicate = path.join(crane.home, "sbom.json");
  await writeFile(predicate, JSON.stringify({ spdxVersion: "SPDX-2.3", name: "app", packages: [] }));

  await cosign.attest(index, "bundle", ATTESTATION, predicate);
  const [attestation] = await oras.discover(index);
  if (attestation === undefined) throw new Error(`${index} has no attestation`);
  await cosign.sign(`${repository}@${attestation.digest}`, "bundle");
  for (const child of children) await cosign.sign(child, "bundle");
  await cosign.sign(index, "bundle");
  await oras.attach(index, NOTATION, await notationEnvelope(crane.home, content, index));

  await cosign.sign(index, "tag");
  await cosign.attest(index, "tag", ATTESTATION, predicate);
}

/** Counts what belongs to the image `from` and is in the repository of `to` too. */
export async function belongingsAt(clients: Clients, from: string, to: string): Promise<Belongings> {
  const { crane, cosign } = clients;
  const [theirs, ours] = [await partsOf(crane, from), await partsOf(crane, to)];
  const [wanted, found] = [await referrersOf(clients, theirs), await referrersOf(clients, ours)];
  const count = (kind: keyof typeof wanted) => found[kind].filter((digest) => wanted[kind].includes(digest)).length;
  const tags: string[] = [];
  for (const suffix of COMPLETE.tags) {
    const tag = `${theirs.index.replace(/^.*@sha256:/, "sha256-")}${suffix}`;
    if (!(await crane.tags(ours.repository)).includes(tag)) continue;
    if ((await crane.digest(`${ours.repository}:${tag}`)) === (await crane.digest(`${theirs.repository}:${tag}`))) {
      tags.push(suffix);
    }
  }
  const verified: SignatureForm[] = [];
  for (const form of COMPLETE.verified) if (await cosign.verify(to, form)) verified.push(form);
  return { index: count("index"), children: count("children"), nested: count("nested"), tags, verified };
}

interface Parts {
  readonly repository: string;
  /** By digest, as are the children. */
  readonly index: string;
  readonly children: readonly string[];
  /** The manifest of the index. */
  readonly content: string;
}

async function partsOf(crane: Crane, reference: string): Promise<Parts> {
  const repository = reference.replace(/:[^:/]+$/, "");
  const [root, ...children] = [...(await crane.manifests(reference))];
  if (root === undefined) throw new Error(`${reference} has no manifest`);
  const at = (digest: string) => `${repository}@${digest}`;
  return { repository, index: at(root[0]), children: children.map(([digest]) => at(digest)), content: root[1] };
}

/** The digests of what refers to the index, to its images, and to referrers of either. */
async function referrersOf({ oras }: Clients, { index, children }: Parts) {
  const ofIndex = await oras.discover(index);
  const ofChildren: Referrer[] = [];
  for (const child of children) ofChildren.push(...(await oras.discover(child)));
  const nested = [...ofIndex, ...ofChildren].flatMap(({ referrers = [] }) => referrers);
  return { index: ofIndex.map(digestOf), children: ofChildren.map(digestOf), nested: nested.map(digestOf) };
}

const digestOf = ({ digest }: Referrer) => digest;

/** Writes a signature of an index as the Notary Project specifies it; returns its file and media type, as oras wants them. */
async function notationEnvelope(folder: string, manifest: string, index: string): Promise<string> {
  const root = issue("Root", { extensions: CA_EXTENSIONS });
  const { mediaType }: { mediaType: string } = JSON.parse(manifest);
  const targetArtifact = { mediaType, digest: index.replace(/^.*@/, ""), size: Buffer.byteLength(manifest) };
  const envelope = signJws({ chain: [issue("signer", { issuer: root }), root], payload: { targetArtifact } });
  const file = path.join(folder, "signature.jws");
  await writeFile(file, envelope.bytes);
  return `${file}:${envelope.mediaType}`;
}
