/** The lock file of the project. */
import { packages } from "../../../package-lock.json";

interface Locked {
  version?: string;
  optionalDependencies?: Record<string, string>;
}

test("package-lock.json has the packages of every platform, as npm ci requires", () => {
  const locked = Object.entries(packages as Record<string, Locked>);
  const names = new Set(locked.map(([location]) => location.slice(location.lastIndexOf("node_modules/") + 13)));
  const wanted = locked.flatMap(([, { optionalDependencies = {} }]) => Object.keys(optionalDependencies));
  expect(wanted.length).toBeGreaterThan(50);
  expect(wanted.filter((name) => !names.has(name))).toEqual([]);
});
