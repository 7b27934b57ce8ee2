/** The packages that are installed with this one, from the lock file. */

/** The part of package-lock.json that is needed here. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The names of all production dependencies, direct and indirect; peer dependencies do not count. */
export function productionDependencies({ packages }: LockFile): { direct: string[]; all: string[] } {
  const visited = new Set<string>();
  const visit = (location: string): void => {
    for (const name of Object.keys(packages[location]?.dependencies ?? {})) {
      const found = resolve(packages, location, name);
      if (found === undefined)
        throw new Error(`package-lock.json has no ${name}, which ${location || "the package"} needs`);
      if (visited.has(found)) continue;
      visited.add(found);
      visit(found);
    }
  };
  visit("");
  return { direct: Object.keys(packages[""]?.dependencies ?? {}), all: [...visited].sort() };
}

/** Where Node.js finds a package that is required from a location: in the nearest `node_modules` that has it. */
function resolve(packages: LockFile["packages"], location: string, name: string): string | undefined {
  const here = `${location === "" ? "" : `${location}/`}node_modules/${name}`;
  if (packages[here] !== undefined) return here;
  if (location === "") return undefined;
  const parent = location.lastIndexOf("node_modules/");
  return resolve(packages, location.slice(0, Math.max(0, parent - 1)), name);
}
