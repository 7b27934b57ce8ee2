/** What is found beside an image that may be its signature. */
import { ImportError } from "../../../provider/failure/failure";
import { registryFailure } from "../../../provider/failure/registry";
import type { Digest } from "../../../provider/reference/digest";
import type { Manifest, Referrer, RegistryClient } from "../../../provider/registry/client";
import { parseSource } from "../../../provider/resource/source";
import { findSignatures } from "../../../provider/source/find-signatures";
import { digestOf } from "../../support/fixtures";

const image = digestOf("a");
const source = parseSource("ghcr.io/owner/app:1");
const numbered = (number: number) => `sha256:${String(number).padStart(64, "0")}` as Digest;

interface Registry {
  readonly referrers?: readonly Referrer[];
  readonly tags?: readonly { tag: string; digest: Digest }[];
  readonly hasApi?: boolean;
  readonly manifest?: (digest: string) => Promise<Manifest | undefined>;
}

/** A client of a registry with these referrers; `read` has the manifests that were read. */
function registry({ referrers = [], tags = [], hasApi = true, manifest }: Registry) {
  const read: string[] = [];
  const client = {
    listReferrers: async (_repository: string, _digest: Digest, options: { tags: boolean }) => ({
      referrers,
      hasApi,
      cosignTags: options.tags ? tags : [],
    }),
    manifest: async (_repository: string, digest: Digest) => {
      read.push(digest);
      if (manifest) return manifest(digest);
      const descriptor = { digest, mediaType: "application/vnd.oci.image.manifest.v1+json" };
      return { descriptor, bytes: Buffer.from("{}"), entries: [], platforms: [] };
    },
    blob: async () => undefined,
  };
  return { client: client as unknown as RegistryClient, read };
}

const referrer = (number: number, artifactType = "application/spdx+json"): Referrer => ({
  digest: numbered(number),
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  artifactType,
});
const digestsOf = (candidates: readonly { digest: string }[]) => candidates.map(({ digest }) => digest);

test("finds referrers and cosign's signature tag, each once, and not what is behind its other tags", async () => {
  const tags = [
    { tag: "sha256-a.sig", digest: numbered(1) },
    { tag: "sha256-a.att", digest: numbered(2) },
  ];
  const { client } = registry({ referrers: [referrer(1), referrer(3)], tags });
  const found = await findSignatures(client, source, image, true);
  expect(digestsOf(found.candidates)).toEqual([numbered(1), numbered(3)]);
  expect(found.searched).toEqual({ referrers: "its referrers", cosignTag: `the tag ${image.replace(":", "-")}.sig` });
  expect(digestsOf((await findSignatures(client, source, image, false)).candidates)).toHaveLength(2);
});

test("says that a registry without the referrers API was searched by the tag schema", async () => {
  const { searched } = await findSignatures(registry({ hasApi: false }).client, source, image, true);
  expect(searched.referrers).toBe("its referrers by the tag schema");
});

test("a manifest that was deleted is no candidate, one that cannot be read is one", async () => {
  const denied = registryFailure.accessDenied("source", "ghcr.io/owner/app", "an anonymous client");
  const { client } = registry({
    referrers: [referrer(1), referrer(2)],
    manifest: async (digest) => {
      if (digest === numbered(1)) return undefined;
      throw new ImportError(denied);
    },
  });
  const { candidates } = await findSignatures(client, source, image, true);
  expect(candidates).toEqual([{ digest: numbered(2), failure: denied }]);
});

test("a layer that does not exist is a failure, not an empty layer", async () => {
  const { client } = registry({ referrers: [referrer(1)] });
  const [candidate] = (await findSignatures(client, source, image, true)).candidates;
  if (candidate === undefined || "failure" in candidate) throw new Error("no candidate");
  const layer = { mediaType: "", digest: digestOf("b"), size: 1, annotations: {} };
  await expect(candidate.blob(layer, 10)).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
});

test("reads up to fifty manifests, what the list calls signatures first, and says so of the others", async () => {
  const many = Array.from({ length: 60 }, (_, number) => referrer(number));
  const signature = referrer(99, "application/vnd.cncf.notary.signature");
  const { client, read } = registry({ referrers: [...many, signature] });
  const { candidates } = await findSignatures(client, source, image, true);
  expect(read).toHaveLength(50);
  expect(read).toContain(numbered(99));
  expect(candidates).toHaveLength(51);
  expect(candidates.at(-1)).toMatchObject({
    failure: { code: "SIGNATURE_UNREADABLE", reason: expect.stringContaining("one of 61 manifests") },
  });
});
