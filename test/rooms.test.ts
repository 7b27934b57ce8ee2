import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const provider = path.join(__dirname, "../provider");
const files = readdirSync(provider, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

interface Import {
  readonly from: string;
  /** File of the product, or name of a package. */
  readonly to: string;
  readonly typeOnly: boolean;
}

/** What a file imports, whichever way: declarations, `require("…")`, `typeof import("…")`. */
function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(provider, file), "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const add = (specifier: string, typeOnly: boolean) => {
    const to = specifier.startsWith(".") ? `${path.join(path.dirname(file), specifier)}.ts` : specifier;
    imports.push({ from: file, to, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      const named = ts.isImportDeclaration(node) ? node.importClause : node;
      const elements =
        named && ts.isImportClause(named) && named.namedBindings && ts.isNamedImports(named.namedBindings)
          ? named.namedBindings.elements
          : undefined;
      const isTypeOnly =
        (named && (ts.isImportClause(named) ? named.phaseModifier === ts.SyntaxKind.TypeKeyword : named.isTypeOnly)) ||
        (elements?.every((element) => element.isTypeOnly) ?? false);
      add((node.moduleSpecifier as ts.StringLiteral).text, isTypeOnly);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add((node.argument.literal as ts.StringLiteral).text, true);
    } else if (ts.isCallExpression(node) && /^(require|import)$/.test(node.expression.getText())) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteral(argument)) add(argument.text, false);
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

test("every import leads to a file or a package", () => {
  expect(imports.length).toBeGreaterThan(60);
  expect(shown(imports.filter((one) => one.to.endsWith(".ts") && !isOurs(one)))).toEqual([]);
});

test("rooms import one way: reference ← registry ← azure ← the rest", () => {
  const below: Record<string, string[]> = {
    reference: ["reference"],
    registry: ["registry", "reference"],
    azure: ["azure", "registry", "reference"],
  };
  const wrong = imports.filter(({ from, to, ...rest }) => {
    const rooms = below[roomOf(from)];
    if (!rooms || !isOurs({ from, to, ...rest })) return false;
    return to === "failure.ts" ? roomOf(from) === "reference" : !rooms.includes(roomOf(to));
  });
  expect(shown(wrong)).toEqual([]);
});

test("the names, the words and the plan are pure: they import nobody who asks anybody", () => {
  expect(shown(imports.filter(({ from }) => from === "failure.ts"))).toEqual([]);
  const pure = ["plan.ts", "record.ts", "unknown.ts", "timeouts.ts", "arguments.ts", "reference"];
  const allowed = (to: string) =>
    pure.some((room) => to === room || to.startsWith(`${room}/`)) ||
    ["failure.ts", "azure/registry-name.ts", "registry/json.ts", "node:util"].includes(to);
  const wrong = imports.filter(
    ({ from, to, typeOnly }) => !typeOnly && pure.some((room) => from.startsWith(room)) && !allowed(to),
  );
  expect(shown(wrong)).toEqual([]);
});

test("the program reaches the life cycle through the provider text alone, and nobody goes back to the program", () => {
  const reaches = (file: string, seen = new Set<string>()): Set<string> => {
    for (const one of imports.filter((each) => each.from === file && !each.typeOnly && isOurs(each))) {
      if (seen.has(one.to)) continue;
      seen.add(one.to);
      reaches(one.to, seen);
    }
    return seen;
  };
  const program = reaches("index.ts");
  for (const file of ["lifecycle.ts", "converge.ts", "release-targets.ts", "observe.ts", "plan.ts"]) {
    expect(program).not.toContain(file);
  }
  const plugin = reaches("lifecycle.ts");
  for (const file of ["index.ts", "imported-image.ts", "program-run.ts"]) expect(plugin).not.toContain(file);
});

test("what stands beside the product leans on no test", () => {
  const root = path.join(__dirname, "..");
  const leaning = ["provider", "emulator", "scripts", "bench", "examples"].flatMap((room) =>
    readdirSync(path.join(root, room), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
      .map((file) => path.join(room, file))
      .filter((file) => /"(\.\.\/)+test\//.test(readFileSync(path.join(root, file), "utf8"))),
  );
  expect(leaning).toEqual([]);
});

test("modules do not import each other in a circle", () => {
  const next = new Map(
    files.map((file) => [
      file,
      imports.filter((one) => one.from === file && !one.typeOnly && isOurs(one)).map(({ to }) => to),
    ]),
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
