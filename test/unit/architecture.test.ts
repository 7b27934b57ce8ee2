/** What each folder of provider/ may import. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const provider = path.join(__dirname, "../../provider");
const files = readdirSync(provider, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

interface Import {
  readonly from: string;
  /** File of the product, or name of a package. */
  readonly to: string;
}

/** What a file imports, whichever way: declarations, `require("…")`, `typeof import("…")`. */
function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(provider, file), "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const add = (specifier: string) => {
    const to = specifier.startsWith(".") ? `${path.join(path.dirname(file), specifier)}.ts` : specifier;
    imports.push({ from: file, to });
  };
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      add((node.moduleSpecifier as ts.StringLiteral).text);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add((node.argument.literal as ts.StringLiteral).text);
    } else if (ts.isCallExpression(node) && /^(require|import)$/.test(node.expression.getText())) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteral(argument)) add(argument.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return imports;
}

const imports = files.flatMap(importsOf);
const roomOf = (file: string) => (file.includes("/") ? file.slice(0, file.indexOf("/")) : "top");
const isOurs = ({ to }: Import) => files.includes(to);
const shown = (wrong: readonly Import[]) => wrong.map(({ from, to }) => `${from} imports ${to}`);

/** What each folder may import besides itself; types count like everything else. */
const ALLOWED: Record<string, readonly string[]> = {
  failure: [],
  reference: [],
  resource: ["reference", "failure", "json.ts"],
  registry: ["reference", "failure", "json.ts"],
  signature: ["reference", "failure", "json.ts"],
  azure: ["registry", "reference", "failure", "json.ts"],
  source: ["resource", "registry", "reference", "azure", "signature", "failure", "json.ts"],
  program: ["source", "resource", "registry", "reference", "azure", "failure", "json.ts"],
  plugin: ["source", "resource", "registry", "reference", "azure", "signature", "failure", "json.ts"],
  top: [
    "imported-image.ts",
    "import-policy-args.ts",
    "imported-repository.ts",
    "get-image-digest.ts",
    "get-image-tags.ts",
    "repository-source-args.ts",
    "verify-args.ts",
    "program",
    "resource",
  ],
};

test("every import leads to a file or a package", () => {
  expect(imports.length).toBeGreaterThan(60);
  expect(shown(imports.filter((one) => one.to.endsWith(".ts") && !isOurs(one)))).toEqual([]);
});

test("folders import one way, and program/ and plugin/ never see each other", () => {
  const wrong = imports.filter(({ from, to, ...rest }) => {
    const [room, target] = [roomOf(from), roomOf(to)];
    if (!isOurs({ from, to, ...rest }) || (room === target && room !== "top")) return false;
    return ![target, to].some((place) => ALLOWED[room]?.includes(place));
  });
  expect(shown(wrong)).toEqual([]);
  expect(Object.keys(ALLOWED).sort()).toEqual([...new Set(files.map(roomOf))].sort());
});

test("failures, names, arguments, state and the plan do no I/O", () => {
  const pure = ["failure/", "reference/", "resource/", "json.ts", "plugin/plan.ts"];
  const packages = ["node:util", "node:net", "re2js", "semver"];
  const allowed = (to: string) => packages.includes(to) || pure.some((place) => to.startsWith(place));
  const wrong = imports.filter(({ from, to }) => pure.some((place) => from.startsWith(place)) && !allowed(to));
  expect(shown(wrong)).toEqual([]);
});

test("what stands beside the product leans on no test", () => {
  const root = path.join(__dirname, "../..");
  const leaning = ["provider", "emulator", "scripts", "bench", "examples"].flatMap((room) =>
    readdirSync(path.join(root, room), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
      .map((file) => path.join(room, file))
      .filter((file) => /"(\.\.\/)+test\//.test(readFileSync(path.join(root, file), "utf8"))),
  );
  expect(leaning).toEqual([]);
});

test("modules do not import each other in a circle, not even for types", () => {
  const next = new Map(
    files.map((file) => [file, imports.filter((one) => one.from === file && isOurs(one)).map(({ to }) => to)]),
  );
  const circles: string[] = [];
  const walk = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) circles.push([...trail.slice(trail.indexOf(file)), file].join(" → "));
    else for (const to of next.get(file) ?? []) walk(to, [...trail, file]);
  };
  for (const file of files) walk(file, []);
  expect(circles).toEqual([]);
});

test("every package that is imported is declared for production, and no other is", () => {
  const manifest = JSON.parse(readFileSync(path.join(provider, "../package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
  };
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  const packages = imports.filter((one) => !one.to.endsWith(".ts") && !one.to.startsWith("node:"));
  const nameOf = (to: string) => to.split("/", to.startsWith("@") ? 2 : 1).join("/");
  expect(shown(packages.filter(({ to }) => !declared.includes(nameOf(to))))).toEqual([]);
  const used = new Set(packages.map(({ to }) => nameOf(to)));
  expect(declared.filter((name) => !used.has(name))).toEqual([]);
});
