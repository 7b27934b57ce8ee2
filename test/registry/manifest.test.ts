/** The reader of manifests and indexes. */
import { createHash } from "node:crypto";
import { parseDigest } from "../../provider/reference/digest";
import {
  digestOf,
  entryFor,
  type Manifest,
  manifestType,
  readManifest,
  readPlatform,
} from "../../provider/registry/manifest";

const INDEX = "application/vnd.oci.image.index.v1+json";
const hex = (byte: string) => `sha256:${byte.repeat(64)}`;

function index(platforms: (object | undefined)[]): Manifest {
  const manifests = platforms.map((platform, at) => ({ mediaType: "m", digest: hex(String(at)), size: 1, platform }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
  const manifest = readManifest(bytes, INDEX, digestOf(bytes));
  if (typeof manifest === "string") throw new Error(manifest);
  return manifest;
}

test("lists each platform once, and no attestations", () => {
  const manifest = index([
    { os: "linux", architecture: "amd64" },
    { os: "linux", architecture: "arm64", variant: "v8" },
    { os: "windows", architecture: "amd64", "os.version": "10.0.17763.1" },
    { os: "windows", architecture: "amd64", "os.version": "10.0.20348.1" },
    { os: "unknown", architecture: "unknown" },
    undefined,
  ]);
  expect(manifest.platforms).toEqual(["linux/amd64", "linux/arm64/v8", "windows/amd64"]);
  expect(manifest.entries).toHaveLength(6);
});

test.each([
  ["linux/amd64", 0],
  ["linux/arm64", 1],
  ["linux/arm64/v8", 1],
  ["linux/arm/v7", 3],
  ["linux/arm", 3],
  ["linux/arm/v6", 2],
  ["linux/arm/v5", undefined],
  ["windows/amd64", 4],
  ["linux/amd64/v3", undefined],
  ["linux/riscv64", undefined],
  ["unknown/unknown", undefined],
])("for %s, chooses entry %s", (platform, at) => {
  const manifest = index([
    { os: "linux", architecture: "amd64" },
    { os: "linux", architecture: "arm64" },
    { os: "linux", architecture: "arm", variant: "v6" },
    { os: "linux", architecture: "arm", variant: "v7" },
    { os: "windows", architecture: "amd64" },
    { os: "windows", architecture: "amd64" },
    { os: "unknown", architecture: "unknown" },
  ]);
  expect(entryFor(manifest, platform)?.digest).toBe(at === undefined ? undefined : hex(String(at)));
});

test("computes the digest of the bytes by the requested algorithm", () => {
  const bytes = Buffer.from("{}\n");
  const sha512 = `sha512:${createHash("sha512").update(bytes).digest("hex")}`;
  expect(digestOf(bytes, parseDigest(sha512))).toBe(sha512);
  expect(digestOf(bytes)).toBe(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
});

test.each([
  ["application/vnd.oci.image.index.v1+json; charset=utf-8", INDEX],
  ["Application/JSON", "application/json"],
  ["text/html", undefined],
  ["application/octet-stream", undefined],
  [undefined, undefined],
])("reads the media type of Content-Type: %s", (header, type) => {
  expect(manifestType(header)).toBe(type);
});

test.each([
  ["<html>", "text/html", "the media type text/html is not a manifest's"],
  ["<html>", INDEX, "the manifest is not valid JSON"],
  ["[]", INDEX, "the manifest is not valid JSON"],
  ['{"message":"hello"}', "text/plain", "the media type text/plain is not a manifest's"],
])("rejects %s as %s", (text, type, reason) => {
  const bytes = Buffer.from(text);
  expect(readManifest(bytes, type, digestOf(bytes))).toBe(reason);
});

test("leaves out entries without a valid digest", () => {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [{ digest: "sha256:1" }, null, "x", {}] }));
  expect(readManifest(bytes, INDEX, digestOf(bytes))).toMatchObject({ entries: [], platforms: [] });
});

test("accepts only short words as parts of a platform", () => {
  const platform = (config: object) => readPlatform(Buffer.from(JSON.stringify(config)));
  expect(platform({ os: "linux", architecture: "arm", variant: "v7" })).toBe("linux/arm/v7");
  expect(platform({ os: "linux", architecture: "amd64", variant: "" })).toBe("linux/amd64");
  for (const os of ["\u001b[2Jlinux", "x".repeat(65), "", 7, undefined]) {
    expect(platform({ os, architecture: "amd64" })).toBeUndefined();
  }
});
