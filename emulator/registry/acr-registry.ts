/** The data plane of one Azure container registry. */
import { AcrAuthority, type AcrAuthorityOptions, type RegistryPrincipal } from "./acr-authority";
import { acrMetadata } from "./acr-metadata";
import { acrTokens } from "./acr-tokens";
import { type DistributionOptions, distribution } from "./distribution";
import type { Handler } from "./http";
import type { RegistryStore } from "./registry-store";

export interface AcrOptions<P extends RegistryPrincipal>
  extends AcrAuthorityOptions<P>,
    Pick<DistributionOptions, "referrers" | "quarantine"> {
  readonly store: RegistryStore;
}

/** The handler of `/v2/*`, `/acr/v1/*` and `/oauth2/*` of a login server. */
export function acrRegistry<P extends RegistryPrincipal>(options: AcrOptions<P>): Handler {
  const { store, host, referrers, quarantine } = options;
  const authority = new AcrAuthority(options);
  const authorize = authority.authorize.bind(authority);
  const tokens = acrTokens(authority);
  const metadata = acrMetadata({ store, host, authorize });
  const data = distribution({
    store,
    authorize,
    accept: "strict",
    deleteByDigestOnly: true,
    deleteReferrers: true,
    ...(referrers ? { referrers } : {}),
    ...(quarantine ? { quarantine } : {}),
  });
  return (request, response) => {
    const url = request.url ?? "";
    if (url.startsWith("/oauth2/")) return tokens(request, response);
    if (url.startsWith("/acr/v1/")) return metadata(request, response);
    return data(request, response);
  };
}
