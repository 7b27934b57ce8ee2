/** Signs images of the emulator as cosign does with a key: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md */
import { generateKeyPairSync, sign } from "node:crypto";
import type { Emulator } from "acr-emulator";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Puts a signature behind cosign's tag of an image, and returns the public key in PEM. */
export function signImage({ images }: Emulator, host: string, repository: string, digest: string): string {
  const store = images.publicStores.get(host);
  if (store === undefined) throw new Error(`the emulator has no registry ${host}`);
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: { "docker-reference": `${host}/${repository}` },
        image: { "docker-manifest-digest": digest },
        type: "cosign container image signature",
      },
      optional: null,
    }),
  );
  const put = (mediaType: string, content: Buffer) => ({
    mediaType,
    digest: store.putBlob(repository, content),
    size: content.length,
  });
  const signature = sign("sha256", payload, privateKey).toString("base64");
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: put("application/vnd.oci.image.config.v1+json", Buffer.from("{}")),
    layers: [
      {
        ...put("application/vnd.dev.cosign.simplesigning.v1+json", payload),
        annotations: { "dev.cosignproject.cosign/signature": signature },
      },
    ],
  };
  const tag = `${digest.replace(":", "-")}.sig`;
  store.putManifest(repository, Buffer.from(JSON.stringify(manifest)), MANIFEST, tag);
  return publicKey.export({ type: "spki", format: "pem" }).toString();
}
