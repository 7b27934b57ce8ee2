/** A registry with Basic authentication. */
import { unauthorized } from "./challenge";
import { type DistributionOptions, distribution } from "./distribution";
import { basicCredentials, type Handler } from "./http";
import type { Account } from "./token-registry";

/** A registry without a token service: every request carries user name and password. */
export function basicRegistry(
  options: Omit<DistributionOptions, "authorize"> & { realm: string; accounts: readonly Account[] },
): Handler {
  const { realm, accounts } = options;
  return distribution({
    ...options,
    authorize: (request, needed) => {
      const given = basicCredentials(request);
      const account = accounts.find(
        ({ username, password }) => username === given?.username && password === given.password,
      );
      if (account === undefined)
        throw unauthorized("authentication required", [`Basic realm="${realm}"`], needed ?? null);
    },
  });
}
