/** What a token permits: https://distribution.github.io/distribution/spec/auth/scope/ */
import type { Challenge } from "./challenge";

export interface Scope {
  readonly repository: string;
  /** `pull`, `delete`, … joined by commas. */
  readonly actions: string;
}

/** `repository:library/node:pull` */
export function formatScope({ repository, actions }: Scope): string {
  return `repository:${repository}:${actions}`;
}

/** The scope of a challenge, when it concerns the same repository and permits more than the one that was used. */
export function widerScope(challenges: readonly Challenge[], { repository, actions }: Scope): Scope | undefined {
  const scope = challenges.find(({ scheme }) => scheme === "bearer")?.parameters.get("scope") ?? "";
  const prefix = `repository:${repository}:`;
  const required = scope.startsWith(prefix) ? scope.slice(prefix.length) : "";
  if (!/^[a-z_*]+(,[a-z_*]+)*$/.test(required)) return undefined;
  const used = actions.split(",");
  return required.split(",").every((action) => used.includes(action)) ? undefined : { repository, actions: required };
}
