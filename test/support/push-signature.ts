/** Pushes signatures to a repository of the emulator's Docker Hub. */
import type { TestEmulator } from "./emulator";
import type { NewCandidate } from "./signature-candidate";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Pushes a manifest that refers to its subject, or that has a tag, and returns its digest. */
export function pushSignature(
  { server }: Pick<TestEmulator, "server">,
  repository: string,
  { subject, artifactType, configType = "application/vnd.oci.empty.v1+json", layers }: NewCandidate,
  tag?: string,
): string {
  const store = server.images.publicStores.get("docker.io");
  if (store === undefined) throw new Error("the emulator has no Docker Hub");
  const push = (mediaType: string, content: Buffer) => ({
    mediaType,
    digest: store.putBlob(repository, content),
    size: content.length,
  });
  const signed = subject && store.manifest(repository, subject);
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    ...(artifactType !== undefined && { artifactType }),
    config: push(configType, Buffer.from("{}")),
    layers: layers.map(({ mediaType, content, annotations }) => ({
      ...push(mediaType, Buffer.from(content)),
      ...(annotations && { annotations }),
    })),
    ...(signed && { subject: { mediaType: signed.mediaType, digest: signed.digest, size: signed.bytes.length } }),
  };
  return store.putManifest(repository, Buffer.from(JSON.stringify(manifest)), MANIFEST, tag).digest;
}

/** The tag of cosign's signatures of a digest. */
export function signatureTagOf(digest: string): string {
  return `${digest.replace(":", "-")}.sig`;
}
