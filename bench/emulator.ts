/** The emulator as the bench uses it: images, latency, and the requests that it counted. */
import type { Emulator, LogEntry } from "acr-emulator";
import type { SourceImage } from "./programs";

/** The hosts of Docker Hub: its registry and its token service. */
export const SOURCE_HOSTS = ["registry-1.docker.io", "auth.docker.io"] as const;

/** Creates images on Docker Hub; small ones, since the copying of bytes is not what is measured. */
export function createImages({ images }: Emulator, count: number): SourceImage[] {
  return Array.from({ length: count }, (_, index) => {
    // Names of the same length: they are part of the state.
    const name = `image-${String(index + 1).padStart(4, "0")}`;
    const reference = `docker.io/bench/${name}:1`;
    const image =
      images.describe(reference) ?? images.replace(reference, { kind: "manifest", platforms: ["linux/amd64"] });
    return { name, reference, digest: image.digest };
  });
}

/** How far away the source is. */
export interface Network {
  /** Each response of the source comes so many milliseconds later. */
  readonly latency: number;
  /** Whether a new connection takes twice the latency: one round trip for TCP, one for TLS. */
  readonly connecting?: boolean;
}

export function setNetwork(emulator: Emulator, { latency, connecting = false }: Network): void {
  const faults = SOURCE_HOSTS.flatMap((host) => [
    { host, from: "client" as const, latency },
    ...(connecting ? [{ host, method: "CONNECT", latency: 2 * latency }] : []),
  ]);
  emulator.faults.set(latency > 0 ? faults : []);
}

/** The requests that a command sent. */
export interface Traffic {
  /** Requests by method, host and kind of path: `HEAD registry-1.docker.io/v2/…/manifests/…`. */
  readonly requests: ReadonlyMap<string, number>;
  /** Connections, by host. */
  readonly connections: ReadonlyMap<string, number>;
  /** Bodies of requests and responses. */
  readonly bytes: number;
  /** From the first request to the last response, in milliseconds. */
  readonly ms: number;
}

/**
 * Returns the requests since the last call; those of Azure to the source do not count.
 *
 * @param counts - Whether a request counts. @default all do
 */
export function takeTraffic({ log }: Emulator, counts: (entry: LogEntry) => boolean = () => true): Traffic {
  const entries = log.select(new URLSearchParams({ from: "client" })).filter(counts);
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
    requests: new Map([...requests].sort(([one], [other]) => (hostOf(one) + one).localeCompare(hostOf(other) + other))),
    connections: new Map([...tunnels].map(([host, ids]) => [host, ids.size])),
    bytes: entries.reduce((sum, { requestBytes, responseBytes }) => sum + requestBytes + responseBytes, 0),
    ms: entries.length === 0 ? 0 : ended - began,
  };
}

/** How many of the requests match. */
export function countRequests({ requests }: Pick<Traffic, "requests">, pattern: RegExp): number {
  return [...requests].reduce((sum, [request, times]) => (pattern.test(request) ? sum + times : sum), 0);
}

/** The requests of a command beyond those of another one; negative where it sends fewer. */
export function requestsBeyond(traffic: Traffic, plain: Traffic): Traffic["requests"] {
  const keys = new Set([...traffic.requests.keys(), ...plain.requests.keys()]);
  const times = ({ requests }: Traffic, key: string) => requests.get(key) ?? 0;
  const more = [...keys].map((key) => [key, times(traffic, key) - times(plain, key)] as const);
  return new Map(more.filter(([, difference]) => difference !== 0));
}

/** The host in a key of {@link Traffic.requests}. */
export function hostOf(request: string): string {
  return request.replace(/^\S+ ([^/]+).*$/, "$1");
}

/** The path without the parts that differ from image to image, and without IDs of tenants and subscriptions. */
function kindOf({ path }: LogEntry): string {
  const [route = path] = path.split("?");
  return route
    .replace(/^\/v2\/.+\/(manifests|blobs|tags|referrers)\/.+$/, "/v2/…/$1/…")
    .replace(/^\/acr\/v1\/.+\/_tags$/, "/acr/v1/…/_tags")
    .replace(/^\/subscriptions\/.+\/(importImage|operationResults)\b.*$/i, "/…/$1")
    .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/gi, "…");
}
