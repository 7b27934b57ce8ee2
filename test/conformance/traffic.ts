/** How much passes between a client and registries, as the emulator logs it. */
import type { LogEntry } from "acr-emulator";

export interface Traffic {
  readonly requests: number;
  /** Bodies of requests and responses, in both directions. */
  readonly bytes: number;
  /** Those of layers, configurations and signatures. */
  readonly blobBytes: number;
}

/** Adds up requests to all hosts that exist: registries, their token services, and Azure. */
export function trafficOf(log: readonly LogEntry[]): Traffic {
  const requests = log.filter(({ refused }) => !refused);
  const bytesOf = (entries: readonly LogEntry[]) =>
    entries.reduce((sum, { requestBytes, responseBytes }) => sum + requestBytes + responseBytes, 0);
  return {
    requests: requests.length,
    bytes: bytesOf(requests),
    blobBytes: bytesOf(requests.filter(({ path }) => /^\/v2\/.+\/blobs\//.test(path))),
  };
}

export function printTraffic({ requests, bytes, blobBytes }: Traffic): string[] {
  return [String(requests), printBytes(bytes), printBytes(blobBytes)];
}

function printBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
