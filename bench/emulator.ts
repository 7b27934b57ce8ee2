/** The emulator as the bench uses it: images, latency, and the requests that it counted. */
import type { Emulator, LogEntry } from "acr-emulator";
import { sourceOf } from "./programs";

/** Hosts of the source registry and of its token service. */
const SOURCE_HOSTS = ["registry-1.docker.io", "auth.docker.io"];

/** Creates the images that the programs import; small ones, since copying bytes is not what is measured. */
export function createImages(emulator: Emulator, count: number): void {
  for (let number = 1; number <= count; number++) {
    emulator.images.replace(sourceOf(number), { kind: "manifest", platforms: ["linux/amd64"] });
  }
}

/**
 * Delays each response of the source by `latency` milliseconds. With `connecting` a new connection takes twice as long: one
 * round trip for TCP, one for TLS.
 */
export function setSourceLatency(emulator: Emulator, latency: number, connecting: boolean): void {
  const faults = SOURCE_HOSTS.flatMap((host) => [
    { host, latency },
    ...(connecting ? [{ host, method: "CONNECT", latency: 2 * latency }] : []),
  ]);
  emulator.faults.set(latency > 0 ? faults : []);
}

/** The requests of one run of a program. */
export interface Traffic {
  /** Requests by method, host and kind of path: `HEAD registry-1.docker.io/v2/…/manifests/…`. */
  readonly requests: ReadonlyMap<string, number>;
  /** Connections, by host. */
  readonly connections: ReadonlyMap<string, number>;
  /** From the first request to the last response, in milliseconds. */
  readonly ms: number;
}

/** Returns the requests since the last call. */
export function takeTraffic({ log }: Emulator): Traffic {
  const entries = log.select(new URLSearchParams());
  log.clear();
  const requests = new Map<string, number>();
  const tunnels = new Map<string, Set<number | undefined>>();
  for (const entry of entries) {
    const key = `${entry.method} ${entry.host}${kindOf(entry)}`;
    requests.set(key, (requests.get(key) ?? 0) + 1);
    tunnels.set(entry.host, (tunnels.get(entry.host) ?? new Set()).add(entry.tunnel));
  }
  const began = Math.min(...entries.map(({ at }) => at));
  const ended = Math.max(...entries.map(({ at, ms = 0 }) => at + ms));
  return {
    requests,
    connections: new Map([...tunnels].map(([host, ids]) => [host, ids.size])),
    ms: entries.length === 0 ? 0 : ended - began,
  };
}

/** The host in a key of {@link Traffic.requests}. */
export function hostOf(request: string): string {
  return request.replace(/^\S+ ([^/]+).*$/, "$1");
}

/** The path without the parts that differ from image to image. */
function kindOf({ path }: LogEntry): string {
  const [route = path] = path.split("?");
  return route.replace(/^\/v2\/.+\/(manifests|blobs)\/.+$/, "/v2/…/$1/…");
}
