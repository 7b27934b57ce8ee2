import { packages } from "../../../package-lock.json";

interface Locked {
  version?: string;
  optionalDependencies?: Record<string, string>;
}

test("the lock file holds the packages of every platform: npm ci refuses one that lacks some", () => {
  const locked = Object.entries(packages as Record<string, Locked>);
  const names = new Set(locked.map(([location]) => location.slice(location.lastIndexOf("node_modules/") + 13)));
  const wanted = locked.flatMap(([, { optionalDependencies = {} }]) => Object.keys(optionalDependencies));
  expect(wanted.length).toBeGreaterThan(50);
  expect(wanted.filter((name) => !names.has(name))).toEqual([]);
});
