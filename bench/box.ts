import type { Emulator } from "../emulator/emulator";
import type { LogEntry } from "../emulator/request-log";
import { sourceOf } from "./programs";

/** Host names of the source that the programs name, its token service included. */
const SOURCE_HOSTS = ["registry-1.docker.io", "auth.docker.io"];

/** Puts the images there that the programs import: small ones, since their bytes are not what is measured. */
export function makeImages(emulator: Emulator, count: number): void {
  for (let number = 1; number <= count; number++) {
    emulator.images.replace(sourceOf(number), { kind: "manifest", platforms: ["linux/amd64"] });
  }
}

/**
 * Moves the source so many milliseconds away: each request is answered that much later. With `connecting` a new connection
 * takes two such trips, one for TCP and one for TLS.
 */
export function moveSourceAway(emulator: Emulator, latency: number, connecting: boolean): void {
  const faults = SOURCE_HOSTS.flatMap((host) => [
    { host, latency },
    ...(connecting ? [{ host, method: "CONNECT", latency: 2 * latency }] : []),
  ]);
  emulator.faults.set(latency > 0 ? faults : []);
}

/** What one run of a program asked of the world. */
export interface Traffic {
  /** Requests by method, host and kind of path: `HEAD registry-1.docker.io/v2/…/manifests/…`. */
  readonly requests: ReadonlyMap<string, number>;
  /** Connections, by host. */
  readonly connections: ReadonlyMap<string, number>;
  /** From the first request to the last answer, in milliseconds. */
  readonly ms: number;
}

/** What was asked since the last time. */
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

/** The host of a key of {@link Traffic.requests}. */
export function hostOf(request: string): string {
  return request.replace(/^\S+ ([^/]+).*$/, "$1");
}

/** The path without what is different for every image. */
function kindOf({ path }: LogEntry): string {
  const [route = path] = path.split("?");
  return route.replace(/^\/v2\/.+\/(manifests|blobs)\/.+$/, "/v2/…/$1/…");
}
