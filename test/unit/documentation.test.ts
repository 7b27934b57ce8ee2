import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const root = join(__dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");

/** The TypeScript in the README, each snippet as a module of its own that lies in the root. */
const snippets = new Map(
  [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text = ""], index) => [
    join(root, `readme-${index + 1}.ts`),
    text,
  ]),
);

test("every snippet of the README compiles against the built package", () => {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
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
    .map((one) => ts.flattenDiagnosticMessageText(one.messageText, "\n"));
  expect(snippets.size).toBeGreaterThan(0);
  expect(messages).toEqual([]);
});

test("the first program of the README stands in its first fifteen lines and ends there", () => {
  const lines = readme.split("\n").slice(0, 15).join("\n");
  expect(lines).toMatch(/^```ts\n.*new ImportedImage\(.*\n```$/ms);
});
