/**
 * Lists referrers by the referrers API, and remembers the hosts that do not have it.
 *
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
 */
import type { Digest } from "../../reference/digest";
import type { RegistryApi } from "../api";
import { errorCodeOf } from "../denial";
import { manifestType, type Referrer, readReferrers } from "../manifest";
import { PromiseCache } from "../promise-cache";
import type { HttpResponse } from "../transport/http-message";
import { requireBounded } from "./limits";

const hostsWithoutApi = new Set<string>();
/** The first request to each host finds out whether it has the API; those that are sent at the same time wait for it. */
const firstRequests = new PromiseCache<"done">();

/**
 * What the API lists, or `undefined` where there is no API. A list of the API is complete: a registry that gets the API has to
 * include what clients listed by the tag schema before, so that the tag is not read as well.
 *
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#enabling-the-referrers-api
 */
export async function listByApi(
  api: RegistryApi,
  repository: string,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<Referrer[] | undefined> {
  const requests: Promise<Referrer[] | undefined>[] = [];
  await firstRequests.get(api.host, signal, async () => {
    const first = request(api, repository, digest, signal);
    requests.push(first);
    await first.catch(() => undefined);
    return "done";
  });
  const [first] = requests;
  if (!first && hostsWithoutApi.has(api.host)) return undefined;
  return first ?? request(api, repository, digest, signal);
}

async function request(
  api: RegistryApi,
  repository: string,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<Referrer[] | undefined> {
  const referrers: Referrer[] = [];
  const path = `/v2/${repository}/referrers/${digest}`;
  const hasApi = await api.eachPage(
    {
      // Not filtered by the registry: what it takes for the type of an artifact may be wrong.
      path,
      scope: { repository, actions: "pull" },
      // Another name of a registry leads to the same path; ghcr.io leads to a web page: https://github.com/artifacthub/hub/issues/4785
      follows: ({ pathname }) => pathname.startsWith("/v2/") && pathname.endsWith(`/referrers/${digest}`),
      isAbsent: (response) => {
        const isAbsent = lacksApi(response);
        if (isAbsent && concernsHost(response)) hostsWithoutApi.add(api.host);
        return isAbsent;
      },
    },
    signal,
    ({ body }) => {
      const page = readReferrers(body);
      if (!page) throw api.invalidResponse("the list of referrers is not an index");
      referrers.push(...page);
      requireBounded(api, referrers);
    },
  );
  return hasApi ? referrers : undefined;
}

const REFUSALS: ReadonlySet<number> = new Set([400, 404, 405, 406, 501]);

/**
 * Whether a response shows that there is no API: a refusal, a redirect that is not followed, or something other than JSON, as
 * other clients see it. Any other response, above all a denial or a failure, is never taken for an empty list.
 *
 * https://github.com/google/go-containerregistry/blob/main/pkg/v1/remote/referrers.go
 */
function lacksApi({ status, header, body }: HttpResponse): boolean {
  if (status === 200) return manifestType(header("content-type")) === undefined && readReferrers(body) === undefined;
  return REFUSALS.has(status) || (status > 300 && status < 400);
}

/** A registry that knows no such repository responds with 404, too, and may have the API. */
function concernsHost(response: HttpResponse): boolean {
  return /^$|^(UNSUPPORTED|METHOD_UNKNOWN)$/.test(errorCodeOf(response));
}
