/** The scopes of registry tokens. */

/** Actions on one resource, as tokens carry them. */
export interface Access {
  type: string;
  name: string;
  actions: string[];
}

/**
 * Parses scopes such as `repository:library/node:pull,push`; there may be several parameters, and several scopes in one.
 * A repository name may contain a colon (a port), so type and actions are taken from the ends.
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

/** The allowed part of the requested access. */
export function intersect(requested: readonly Access[], allows: (access: Access, action: string) => boolean): Access[] {
  return requested
    .map((access) => ({ ...access, actions: access.actions.filter((action) => allows(access, action)) }))
    .filter((access) => access.actions.length > 0);
}

/** Whether the granted access includes every needed action. */
export function covers(granted: readonly Access[], needed: Access): boolean {
  const actions = granted
    .filter((access) => access.type === needed.type && access.name === needed.name)
    .flatMap((access) => access.actions);
  return needed.actions.every((action) => actions.includes(action) || actions.includes("*"));
}
