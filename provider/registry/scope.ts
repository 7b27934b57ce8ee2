/** What a token permits: https://distribution.github.io/distribution/spec/auth/scope/ */
import type { Challenge } from "./challenge";

export interface Scope {
  readonly repository: string;
  /** `pull`, `delete`, … joined by commas. */
  readonly actions: string;
}

/** The scopes of one token. */
export type Scopes = readonly [Scope, ...Scope[]];

/** `repository:library/node:pull` */
export function formatScope({ repository, actions }: Scope): string {
  return `repository:${repository}:${actions}`;
}

/**
 * The scope that a challenge asks for, when it is not covered by the one that was used: more actions, or the same repository
 * by the name that it has behind a redirect or a proxy.
 */
export function requiredScope(challenges: readonly Challenge[], used: Scope): Scope | undefined {
  const scopes = challenges
    .filter(({ scheme }) => scheme === "bearer")
    .map(({ parameters }) => parameters.get("scope"));
  for (const scope of scopes.flatMap((text) => (text ?? "").split(" "))) {
    const [, repository, actions] = SCOPE.exec(scope) ?? [];
    if (repository === undefined || actions === undefined) continue;
    return isCovered({ repository, actions }, used) ? undefined : { repository, actions };
  }
  return undefined;
}

const SCOPE = /^repository:([a-z0-9._/-]{1,255}):([a-z_*]+(?:,[a-z_*]+)*)$/;

function isCovered({ repository, actions }: Scope, by: Scope): boolean {
  const granted = by.actions.split(",");
  return repository === by.repository && actions.split(",").every((action) => granted.includes(action));
}
