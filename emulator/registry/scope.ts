/** One resource with the actions asked for or granted on it, as registry tokens carry them. */
export interface Access {
  type: string;
  name: string;
  actions: string[];
}

/**
 * Reads scopes: `repository:library/node:pull,push`, several parameters and several scopes in one
 * parameter. A repository name may hold a colon (a port), so type and actions are cut off at the ends.
 */
export function parseScopes(values: readonly string[]): Access[] {
  return values
    .flatMap((value) => value.split(" "))
    .filter((scope) => scope !== "")
    .flatMap((scope) => {
      const first = scope.indexOf(":");
      const last = scope.lastIndexOf(":");
      if (first < 0 || last === first) return [];
      const type = scope.slice(0, first).replace(/\(.*\)$/, "");
      return [{ type, name: scope.slice(first + 1, last), actions: scope.slice(last + 1).split(",") }];
    });
}

export function printScope({ type, name, actions }: Access): string {
  return `${type}:${name}:${actions.join(",")}`;
}

/** What of the asked access is allowed; resources with nothing left are dropped. */
export function intersect(asked: readonly Access[], allows: (access: Access, action: string) => boolean): Access[] {
  return asked
    .map((access) => ({ ...access, actions: access.actions.filter((action) => allows(access, action)) }))
    .filter((access) => access.actions.length > 0);
}

/** Whether the granted access covers every action that is needed, whatever their order. */
export function covers(granted: readonly Access[], needed: Access): boolean {
  const actions = granted
    .filter((access) => access.type === needed.type && access.name === needed.name)
    .flatMap((access) => access.actions);
  return needed.actions.every((action) => actions.includes(action) || actions.includes("*"));
}
