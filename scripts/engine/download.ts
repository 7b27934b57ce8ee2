/** Downloads the official release of the Pulumi engine. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { createDefaultHttpClient, createPipelineFromOptions, createPipelineRequest } from "@azure/core-rest-pipeline";
import { runOrFail } from "../process";
import { withProgress } from "../progress";

const RELEASES = "https://get.pulumi.com/releases/sdk";
/** Time limit for the small checksum file: it shows early whether the site can be reached. */
const CHECKSUM_MS = 5_000;
const DOWNLOAD_MS = 15 * 60_000;

// Unlike the global fetch, this client uses HTTPS_PROXY.
const http = createPipelineFromOptions({
  retryOptions: { maxRetries: 0 },
  redirectOptions: { allowCrossOriginRedirects: true },
});

/** Puts the release into `folder`, after comparing it with the published checksum. */
export async function downloadEngine(version: string, folder: string, releases = RELEASES): Promise<void> {
  const archive = archiveName(version);
  const expected = checksumOf(archive, await text(`${releases}/pulumi-${version}-checksums.txt`));
  await withProgress(`downloading ${releases}/${archive} (about 150 MB)`, async () => {
    const file = path.join(folder, archive);
    await download(`${releases}/${archive}`, file);
    const actual = await sha256(file);
    if (actual !== expected) throw new Error(`${archive} has the checksum ${actual}, expected ${expected}`);
    await runOrFail("tar", ["-xzf", file, "-C", folder, "--strip-components=1"]);
    await rm(file);
  });
}

function archiveName(version: string): string {
  const { platform, arch } = process;
  if ((platform !== "linux" && platform !== "darwin") || (arch !== "x64" && arch !== "arm64")) {
    throw new Error(
      `no release for ${platform}-${arch} is used here; install Pulumi: https://www.pulumi.com/docs/install/`,
    );
  }
  return `pulumi-v${version}-${platform}-${arch}.tar.gz`;
}

function checksumOf(archive: string, checksums: string): string {
  const line = checksums.split("\n").find((each) => each.trim().endsWith(` ${archive}`));
  const checksum = line?.match(/^[0-9a-f]{64}/)?.[0];
  if (checksum === undefined) throw new Error(`no SHA-256 of ${archive} is published`);
  return checksum;
}

async function text(url: string): Promise<string> {
  const response = await send(url, { timeout: CHECKSUM_MS });
  return response.bodyAsText ?? "";
}

async function download(url: string, file: string): Promise<void> {
  const response = await send(url, {
    abortSignal: AbortSignal.timeout(DOWNLOAD_MS),
    streamResponseStatusCodes: new Set([200]),
  });
  if (response.readableStreamBody === undefined) throw new Error(`the response of ${url} has no body`);
  await pipeline(response.readableStreamBody, createWriteStream(file));
}

async function send(url: string, options: Partial<Parameters<typeof createPipelineRequest>[0]>) {
  const request = createPipelineRequest({
    url,
    allowInsecureConnection: url.startsWith("http://127.0.0.1"),
    ...options,
  });
  const response = await http.sendRequest(createDefaultHttpClient(), request);
  if (response.status !== 200) throw new Error(`unexpected response from ${url}: HTTP ${response.status}`);
  return response;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
