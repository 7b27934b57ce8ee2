/** The documentation: its programs compile, its links lead somewhere, and its figures are those of the code. */
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { RE2JS } from "re2js";
import ts from "typescript";
import { devDependencies, peerDependencies } from "../../package.json";
import { IMPORT_ROLE, PULL_ROLE, TARGET_ROLES } from "../../provider/failure/roles";
import { ENGINE_VERSION } from "../../scripts/engine/engine";

const root = path.join(__dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const pages = ts.sys.readDirectory(root, [".md"], ["node_modules", "dist"]).map((file) => path.relative(root, file));
const readme = read("README.md");

/** The TypeScript snippets of all pages, each as an ES module in the root: some await at the top level. */
const snippets = new Map(
  pages.flatMap((page) =>
    [...read(page).matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text = ""], index): [string, string] => [
      path.join(root, `${page.replaceAll("/", "-")}-${index + 1}.mts`),
      text,
    ]),
  ),
);

test("the TypeScript in every page compiles against the built package", () => {
  const { config } = ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => snippets.has(name) || fileExists(name);
  host.readFile = (name) => snippets.get(name) ?? readFile(name);
  host.getSourceFile = (name, version, ...rest) => {
    const text = snippets.get(name);
    return text === undefined ? getSourceFile(name, version, ...rest) : ts.createSourceFile(name, text, version);
  };
  const program = ts.createProgram([...snippets.keys()], options, host);
  const messages = ts
    .getPreEmitDiagnostics(program)
    .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
  expect(snippets.size).toBeGreaterThan(3);
  expect(messages).toEqual([]);
});

test("the first program of the README is complete within its first fifteen lines", () => {
  const lines = readme.split("\n").slice(0, 15).join("\n");
  expect(lines).toMatch(/^```ts\n.*new ImportedImage\(.*\n```$/ms);
});

test.each(pages)("%s: every relative link leads to a file, and to a heading in it", (page) => {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  const broken = links.filter((link) => !/^(https?|mailto):/.test(link) && !exists(page, link));
  expect(broken).toEqual([]);
});

test("the configuration of Renovate finds an image that is pinned by digest, and replaces tag and digest", () => {
  const [, json = ""] = /^```json\n(\{\n {2}"customManagers".*?)^```$/ms.exec(read("docs/questions.md")) ?? [];
  const [manager] = JSON.parse(json).customManagers;
  const [filePattern] = manager.managerFilePatterns;
  expect(RE2JS.compile(filePattern.slice(1, -1)).matcher("stacks/prod/index.ts").find()).toBe(true);

  const [old, young] = ["1", "2"].map((digit) => `sha256:${digit.repeat(64)}`);
  const program = (image: string) => `  source: "${image}", // "node:22" and "${old}" are not pinned images`;
  // Renovate compiles expressions with RE2, which has no lookaround.
  const found = RE2JS.compile(manager.matchStrings[0]).matcher(
    program(`registry:5000/library/node22:22-alpine@${old}`),
  );
  expect(found.find()).toBe(true);
  const groups = ["depName", "currentValue", "currentDigest"].map((name) => found.group(name));
  expect(groups).toEqual(["registry:5000/library/node22", "22-alpine", old]);

  const values: Record<string, string> = {
    depName: String(groups[0]),
    newValue: "24-alpine",
    newDigest: String(young),
  };
  const replacement = manager.autoReplaceStringTemplate.replace(
    /\{\{\{(\w+)\}\}\}/g,
    (_: string, name: string) => values[name],
  );
  expect(program(`registry:5000/library/node22:22-alpine@${old}`).replace(String(found.group()), replacement)).toBe(
    program(`registry:5000/library/node22:24-alpine@${young}`),
  );
  expect(found.find()).toBe(false);
});

test("the README names the versions that the tests run with, and the oldest ones that are allowed", () => {
  const { "@pulumi/pulumi": sdk, typescript } = devDependencies;
  const oldest = peerDependencies["@pulumi/pulumi"].replace(/^\^(\d+\.\d+)\.0$/, "$1");
  expect(readme).toContain(`| Pulumi CLI | ${oldest} or newer | ${ENGINE_VERSION} |`);
  expect(readme).toContain(`| \`@pulumi/pulumi\` | ${oldest} or newer | ${sdk} |`);
  expect(readme).toMatch(new RegExp(`^\\| TypeScript .*[ ,]${typescript.replaceAll(".", "\\.")}`, "m"));
});

test.each([IMPORT_ROLE, PULL_ROLE, TARGET_ROLES.untag, TARGET_ROLES.delete])("the README has the role %s", (role) => {
  const [, permissions = ""] = /^## Permissions$(.*?)^## /ms.exec(readme) ?? [];
  const names = role.match(/Acr\w+|Container Registry [\w ]+?(?= if |$)/g) ?? [];
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) expect(permissions).toContain(name);
});

function exists(page: string, link: string): boolean {
  const [file = "", heading] = link.split("#");
  const target = file === "" ? path.join(root, page) : path.join(root, path.dirname(page), decodeURI(file));
  if (!existsSync(target)) return false;
  return (
    heading === undefined || (statSync(target).isFile() && headings(readFileSync(target, "utf8")).includes(heading))
  );
}

/** The anchors that GitHub gives to the headings of a page. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
