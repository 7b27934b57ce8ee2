/** Asks a host once per process, with `GET /v2/`, whether it is a registry and how it wants requests to be authorized. */
import type { Side } from "../failure/failure";
import { type Challenge, parseChallenges } from "./challenge";
import { PromiseCache } from "./promise-cache";
import { sendRequest } from "./request";
import { type RequestOptions, withoutSignal } from "./transport/send";

export interface PingResponse {
  readonly status: number;
  readonly challenges: readonly Challenge[];
}

const pings = new PromiseCache<PingResponse>();

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#determining-support */
export function ping(side: Side, host: string, options: RequestOptions): Promise<PingResponse> {
  return pings.get(host, options.signal, async () => {
    const request = { method: "GET", url: `https://${host}/v2/` } as const;
    const response = await sendRequest(side, request, withoutSignal(options));
    // A host that a redirect leads to cannot ask for credentials.
    const challenge = response.url.host === host ? response.header("www-authenticate") : undefined;
    return { status: response.status, challenges: parseChallenges(challenge ?? "") };
  });
}

/** The response to the ping of a host, if there has been one. */
export function pingResponse(host: string): PingResponse | undefined {
  return pings.peek(host);
}
