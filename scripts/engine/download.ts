import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { createDefaultHttpClient, createPipelineFromOptions, createPipelineRequest } from "@azure/core-rest-pipeline";
import { runOrFail } from "../process";
import { withProgress } from "../progress";

const RELEASES = "https://get.pulumi.com/releases/sdk";
/** Whether the site can be reached shows with the small checksum file, before anybody waits for the large one. */
const REACHABLE_MS = 5_000;
const DOWNLOAD_MS = 15 * 60_000;

// Unlike the global fetch it obeys HTTPS_PROXY.
const http = createPipelineFromOptions({
  retryOptions: { maxRetries: 0 },
  redirectOptions: { allowCrossOriginRedirects: true },
});

/** Puts Pulumi's official release into `folder`, checked against the checksums published beside it. */
export async function downloadEngine(version: string, folder: string, releases = RELEASES): Promise<void> {
  const archive = archiveName(version);
  const expected = checksumOf(archive, await text(`${releases}/pulumi-${version}-checksums.txt`));
  await withProgress(`downloading ${releases}/${archive} (about 150 MB)`, async () => {
    const file = path.join(folder, archive);
    await download(`${releases}/${archive}`, file);
    const actual = await sha256(file);
    if (actual !== expected) throw new Error(`${archive} has the checksum ${actual}, published is ${expected}`);
    await runOrFail("tar", ["-xzf", file, "-C", folder, "--strip-components=1"]);
    await rm(file);
  });
}

function archiveName(version: string): string {
  const { platform, arch } = process;
  if ((platform !== "linux" && platform !== "darwin") || (arch !== "x64" && arch !== "arm64")) {
    throw new Error(`for ${platform} on ${arch} install Pulumi by hand: https://www.pulumi.com/docs/install/`);
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
  const response = await send(url, { timeout: REACHABLE_MS });
  return response.bodyAsText ?? "";
}

async function download(url: string, file: string): Promise<void> {
  const response = await send(url, {
    abortSignal: AbortSignal.timeout(DOWNLOAD_MS),
    streamResponseStatusCodes: new Set([200]),
  });
  if (response.readableStreamBody === undefined) throw new Error(`${url} answered without a body`);
  await pipeline(response.readableStreamBody, createWriteStream(file));
}

async function send(url: string, options: Partial<Parameters<typeof createPipelineRequest>[0]>) {
  const request = createPipelineRequest({
    url,
    allowInsecureConnection: url.startsWith("http://127.0.0.1"),
    ...options,
  });
  const response = await http.sendRequest(createDefaultHttpClient(), request);
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
  return response;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
