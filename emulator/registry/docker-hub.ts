import type { Handler } from "./http";
import type { RegistryStore } from "./registry-store";
import { type Account, tokenRegistry } from "./token-registry";

export interface DockerHubAccount extends Account {
  /** Repositories that only this account may pull; its own namespace is where it may push. */
  privateRepositories?: readonly string[];
}

/**
 * Docker Hub: `registry` answers for registry-1.docker.io and its other names, `auth` for auth.docker.io.
 * A repository that is private or not there is refused the same way: a token without access, then 401.
 */
export function dockerHub(options: { store: RegistryStore; accounts: readonly DockerHubAccount[] }): {
  registry: Handler;
  auth: Handler;
} {
  const { store, accounts } = options;
  return tokenRegistry({
    store,
    accounts,
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
