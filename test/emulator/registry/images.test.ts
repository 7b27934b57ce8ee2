/** Tests of the images that the emulator creates. */
import { gunzipSync } from "node:zlib";
import { digestOf } from "../../../emulator/registry/digest";
import { describeImage, type ImageKind, makeImage } from "../../../emulator/registry/make-image";
import { makeReferrer } from "../../../emulator/registry/make-referrers";
import { mediaTypes } from "../../../emulator/registry/manifest";
import { RegistryStore } from "../../../emulator/registry/registry-store";

const kinds: [ImageKind, string][] = [
  ["index", mediaTypes.index],
  ["manifest", mediaTypes.manifest],
  ["docker-list", mediaTypes.dockerList],
  ["docker", mediaTypes.dockerManifest],
  ["helm", mediaTypes.manifest],
  ["artifact", mediaTypes.manifest],
  ["artifact-manifest", mediaTypes.artifactManifest],
];

const store = new RegistryStore();

test.each(kinds)("%s has its media type, and new content at each call", (kind, mediaType) => {
  const first = makeImage(store, "app", "v1", { kind });
  const second = makeImage(store, "app", "v1", { kind });
  expect(first.mediaType).toBe(mediaType);
  expect(second.digest).not.toBe(first.digest);
  expect(store.tag("app", "v1")?.digest).toBe(second.digest);
  expect(describeImage(store, "app", "v1")).toEqual(second);
});

test("an index lists its platforms with variants, and an attestation for each", () => {
  const platforms = ["linux/amd64", "linux/arm64/v8", "linux/arm/v7", "windows/amd64"];
  const made = makeImage(store, "app", "v1", { platforms });
  expect(made.platforms).toEqual(platforms);
  const children = store.manifest("app", "v1")?.content.manifests ?? [];
  const attestations = children.filter(
    ({ platform }) => platform?.os === "unknown" && platform.architecture === "unknown",
  );
  expect(attestations.map(({ annotations }) => annotations?.["vnd.docker.reference.digest"])).toEqual(
    children.slice(0, 4).map(({ digest }) => digest),
  );
});

test("layers are gzipped tar archives whose digests the config lists", () => {
  const { digest } = makeImage(store, "app", "v1", { kind: "manifest", layers: 2 });
  const { layers = [], config } = store.manifest("app", digest)?.content ?? {};
  const diffIds = layers.map((layer) => digestOf(gunzipSync(store.blob("app", layer.digest) ?? Buffer.alloc(0))));
  const { rootfs } = JSON.parse(String(store.blob("app", config?.digest ?? "")));
  expect(diffIds).toHaveLength(2);
  expect(rootfs.diff_ids).toEqual(diffIds);
});

test("an index has the given number of manifests", () => {
  makeImage(store, "big", "v1", { manifests: 51, attestations: false });
  expect(store.manifest("big", "v1")?.content.manifests).toHaveLength(51);
});

test("a referrer is listed for its subject and has no tag", () => {
  const subject = makeImage(store, "signed", "v1").digest;
  const { digest } = makeReferrer(store, "signed", subject);
  expect(store.referrers("signed", subject).map((referrer) => referrer.digest)).toEqual([digest]);
  expect(store.tags("signed")).toHaveLength(1);
});
