/** Dependencies and modules as the bench counts them. */
import path from "node:path";
import { productionDependencies } from "../../../bench/dependencies";
import { packageOf } from "../../../bench/modules";

test("dependencies are followed to where Node.js finds them, each location once", () => {
  const { direct, all } = productionDependencies({
    packages: {
      "": { dependencies: { a: "1", b: "1" } },
      "node_modules/a": { dependencies: { b: "2", shared: "1" } },
      "node_modules/a/node_modules/b": { dependencies: { shared: "1" } },
      "node_modules/b": { dependencies: { a: "1" } },
      "node_modules/shared": {},
      "node_modules/only-for-development": {},
    },
  });
  expect(direct).toEqual(["a", "b"]);
  expect(all).toEqual(["node_modules/a", "node_modules/a/node_modules/b", "node_modules/b", "node_modules/shared"]);
});

test("a dependency that the lock file lacks is an error", () => {
  expect(() => productionDependencies({ packages: { "": { dependencies: { a: "1" } } } })).toThrow(
    "package-lock.json has no a, which the package needs",
  );
});

const root = path.join(__dirname, "../../..");

test.each([
  ["/app/node_modules/tldts/dist/index.js", "tldts"],
  ["/app/node_modules/@azure/identity/dist/index.js", "@azure/identity"],
  ["/app/node_modules/a/node_modules/b/index.js", "b"],
  [path.join(root, "dist/index.js"), "pulumi-acr-import"],
  ["/app/index.js", undefined],
])("%s is a module of %s", (file, name) => {
  expect(packageOf(file)).toBe(name);
});
