/** Docker Hub. */
import type { Handler } from "./http";
import type { RegistryStore } from "./registry-store";
import { type Account, type TokenRegistryOptions, type TokenServiceOptions, tokenRegistry } from "./token-registry";

export interface DockerHubAccount extends Account {
  /** Repositories that only this account may pull; it may push to its own namespace. */
  privateRepositories?: readonly string[];
}

/**
 * The handlers of registry-1.docker.io (and its aliases) and of auth.docker.io. A private repository and one that does not
 * exist get the same response: a token without access, then 401.
 */
export function dockerHub(
  options: {
    store: RegistryStore;
    accounts: readonly DockerHubAccount[];
    tokens?: TokenServiceOptions;
  } & Pick<TokenRegistryOptions, "referrers">,
): { registry: Handler; auth: Handler } {
  const { store, accounts, tokens = {}, referrers } = options;
  return tokenRegistry({
    store,
    accounts,
    tokens,
    ...(referrers ? { referrers } : {}),
    accept: "strict",
    realm: "https://auth.docker.io/token",
    service: "registry.docker.io",
    allows: (account, action, repository) => {
      if (account !== undefined && repository.startsWith(`${account.username}/`)) return true;
      const owners = accounts.filter(({ privateRepositories }) => privateRepositories?.includes(repository));
      const visible = owners.length === 0 || owners.some(({ username }) => username === account?.username);
      return action === "pull" && visible && store.repository(repository) !== undefined;
    },
  });
}
