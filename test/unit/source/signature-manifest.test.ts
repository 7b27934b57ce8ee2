/** Manifests as verification reads them. */
import { digestOf as digestOfBytes, type Manifest, readManifest } from "../../../provider/registry/manifest";
import { readSignatureManifest } from "../../../provider/source/signature-manifest";
import { digestOf } from "../../support/fixtures";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const [config, layer, subject] = [digestOf("1"), digestOf("2"), digestOf("3")];

function manifest(body: object, mediaType = MANIFEST): Manifest {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...body }));
  const read = readManifest(bytes, mediaType, digestOfBytes(bytes));
  if (typeof read === "string") throw new Error(read);
  return read;
}

test("reads what verification needs", () => {
  const body = {
    artifactType: "application/x",
    config: { mediaType: "application/y", digest: config, size: 2 },
    subject: { mediaType: MANIFEST, digest: subject, size: 7 },
    layers: [{ mediaType: "application/z", digest: layer, size: 3, annotations: { a: "b" } }],
    annotations: { c: "d" },
  };
  expect(readSignatureManifest(manifest(body))).toEqual({
    mediaType: MANIFEST,
    artifactType: "application/x",
    config: { mediaType: "application/y", digest: config },
    subject: { digest: subject },
    layers: [{ mediaType: "application/z", digest: layer, size: 3, annotations: { a: "b" } }],
    annotations: { c: "d" },
  });
});

test("reads the blobs of an artifact manifest as layers", () => {
  const mediaType = "application/vnd.oci.artifact.manifest.v1+json";
  const body = { artifactType: "application/x", blobs: [{ mediaType: "application/z", digest: layer, size: 3 }] };
  const read = readSignatureManifest(manifest(body, mediaType));
  expect(read).toEqual({
    mediaType,
    artifactType: "application/x",
    layers: [{ mediaType: "application/z", digest: layer, size: 3, annotations: {} }],
    annotations: {},
  });
});

test("leaves out what is not as specified", () => {
  const body = {
    config: "none",
    layers: [
      null,
      "text",
      { digest: "sha256:1" },
      { digest: layer, mediaType: 7, size: "3", annotations: { a: 1, b: "c" } },
    ],
    annotations: ["x"],
  };
  expect(readSignatureManifest(manifest(body))).toMatchObject({
    layers: [{ digest: layer, mediaType: "", size: 0, annotations: { b: "c" } }],
  });
  expect(readSignatureManifest(manifest({ layers: "none" })).layers).toEqual([]);
});
