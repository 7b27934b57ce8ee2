/** The rate limits of Resource Manager, which all requests of a run obey together. */
import type { PipelineRequest } from "@azure/core-rest-pipeline";
import { Throttle } from "./throttle";

/**
 * Resource Manager limits the reads and the writes of each subscription apart. Who has used up the allowance gets 25 reads and
 * 10 writes a second: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
 */
const RATES = { read: { burst: 5, spacingMs: 40 }, write: { burst: 5, spacingMs: 100 } };

type ArmRequest = Pick<PipelineRequest, "method" | "url">;

export class ArmThrottles {
  readonly #throttles = new Map<string, Throttle>();

  /** @param onWait - Called before each wait that Resource Manager asks for. */
  constructor(private readonly onWait: (host: string) => void) {}

  /** What is rate limited together with a request. */
  of({ method, url }: ArmRequest): Throttle {
    const kind = method === "GET" ? "read" : "write";
    const { host, pathname } = new URL(url);
    const subscription = /^\/subscriptions\/([^/]+)/i.exec(pathname)?.[1]?.toLowerCase() ?? "";
    const key = `${kind} ${host} ${subscription}`;
    const throttle = this.#throttles.get(key) ?? new Throttle(RATES[kind]);
    this.#throttles.set(key, throttle);
    return throttle;
  }

  /** Holds back a request, and all that are rate limited together with it. */
  hold(request: ArmRequest, ms: number): void {
    this.onWait(new URL(request.url).host);
    this.of(request).hold(ms);
  }
}
