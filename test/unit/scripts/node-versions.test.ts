/** All places that name versions of Node.js agree. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { devDependencies, engines } from "../../../package.json";
import { describeNode, SUPPORTED_NODE, TOLERATED_NODE } from "../../../scripts/node-versions.cjs";

const read = (file: string) => readFileSync(path.join(__dirname, "../../..", file), "utf8");
const supported = SUPPORTED_NODE.join(" and ");

test("package.json allows the supported versions, and npm warns about the tolerated one", () => {
  expect(engines.node).toBe(`>=${Math.min(...SUPPORTED_NODE)}`);
  expect(TOLERATED_NODE).toBeLessThan(Math.min(...SUPPORTED_NODE));
});

test(".node-version and the types are those of a supported version", () => {
  expect(SUPPORTED_NODE).toContain(Number(read(".node-version")));
  expect(Number.parseInt(devDependencies["@types/node"], 10)).toBe(Math.min(...SUPPORTED_NODE));
});

test("README and CONTRIBUTING name the same versions", () => {
  expect(read("README.md")).toContain(`| Node.js | ${supported}; ${TOLERATED_NODE} (end of life) is tolerated |`);
  expect(read("CONTRIBUTING.md")).toContain(
    `Node.js ${SUPPORTED_NODE.join(" or ")} (${TOLERATED_NODE}, which is end of`,
  );
});

test("the README names a tested release of each version", () => {
  const [row = ""] = /^\| Node\.js .*$/m.exec(read("README.md")) ?? [];
  const tested = (row.split("|")[3] ?? "").match(/\d+(?=\.\d+)/g)?.map(Number);
  expect(tested?.sort()).toEqual([TOLERATED_NODE, ...SUPPORTED_NODE].sort());
});

test.each([
  [`v${SUPPORTED_NODE[0]}.1.0`, "supported"],
  [`v${TOLERATED_NODE}.1.0`, "tolerated: end of life; supported are"],
  ["v18.1.0", "too old; supported are"],
  ["v99.1.0", "not tested; supported are"],
])("Node.js %s is %s", (version, standing) => {
  expect(describeNode(version)).toContain(`Node.js ${version} (${standing}`);
});
