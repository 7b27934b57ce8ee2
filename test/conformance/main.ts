/**
 * `npm run conformance`: tests the emulator and the product with independent clients and registries.
 *
 * Installs the clients into the cache and writes the comparisons with the Azure CLI and with tools that copy to RESULTS.md.
 * `npm run conformance -- WORDS` runs the tests whose name matches and only prints the results.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { engineFolder } from "../../scripts/engine/engine";
import { endTogether, run, runOrFail } from "../../scripts/process";
import { printStatus } from "../../scripts/progress";
import { closingLine, type JestReport, type Tally, tallyJest } from "../../scripts/tally";
import { copyToolsFolder, cosignFolder, type Tools, toolsFolder } from "../../scripts/tools/tools";
import { pythonWith } from "./python";
import { resultPage } from "./results";

const root = path.join(__dirname, "../..");
const MINUTE = 60_000;

async function main(): Promise<void> {
  const words = process.argv.slice(2).join(" ");
  const temporary = mkdtempSync(path.join(tmpdir(), "conformance-"));
  const removeAll = () => rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  endTogether(removeAll);
  try {
    const clients = await install();
    const results = path.join(temporary, "results");
    const tally = await runTests(words, temporary, { ...clients, CONFORMANCE_RESULTS: results });
    const page = resultPage(results, await preface(clients, tally));
    process.stdout.write(`\n${page}`);
    if (words === "") await writeFile(path.join(__dirname, "RESULTS.md"), page);
    printNames("Failed", tally.failures);
    printNames("Skipped", tally.skipped);
    process.stdout.write(`\n${closingLine(tally)}\n`);
    process.exitCode = tally.failures.length === 0 ? 0 : 1;
  } finally {
    removeAll();
  }
}

/** Installs the clients and returns the variables that hold their paths. */
async function install(): Promise<Record<string, string>> {
  const [tools, copyTools, cosign] = [
    await built(toolsFolder()),
    await built(copyToolsFolder()),
    await built(cosignFolder()),
  ];
  const skopeo = findOnPath("skopeo");
  return {
    CONFORMANCE_CRANE: path.join(tools, "crane"),
    CONFORMANCE_REGISTRY: path.join(tools, "registry"),
    CONFORMANCE_ORAS: path.join(copyTools, "oras"),
    CONFORMANCE_REGCTL: path.join(copyTools, "regctl"),
    CONFORMANCE_COSIGN: path.join(cosign, "cosign"),
    CONFORMANCE_AZURE_SDK: await pythonWith("azure-sdk", "installing the Python SDK (some seconds)"),
    CONFORMANCE_AZURE_CLI: await pythonWith("azure-cli", "installing the Azure CLI (700 MB, one to five minutes)"),
    ...(skopeo === undefined ? {} : { CONFORMANCE_SKOPEO: skopeo }),
    TEST_ENGINE: await engineFolder(),
  };
}

async function built(building: Promise<Tools>): Promise<string> {
  const tools = await building;
  if (tools.folder === undefined) throw new Error(tools.reason);
  return tools.folder;
}

function findOnPath(command: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => path.join(folder, command)).find((file) => existsSync(file));
}

async function runTests(words: string, temporary: string, variables: Record<string, string>): Promise<Tally> {
  const file = path.join(temporary, "report.json");
  const only = words === "" ? undefined : new RegExp(words, "i");
  const args = ["--config", path.join(__dirname, "jest.config.js"), "--verbose", "--json", "--outputFile", file];
  const jest = await run(
    path.join(root, "node_modules/.bin/jest"),
    [...args, ...(only === undefined ? [] : ["--testNamePattern", only.source])],
    {
      cwd: root,
      env: { ...process.env, ...variables, TMPDIR: temporary },
      timeout: 60 * MINUTE,
      onOutput: (text) => process.stdout.write(text),
    },
  );
  const report: JestReport | undefined = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  const output = jest.stdout + jest.stderr;
  const tally = tallyJest({ name: "conformance", exitCode: jest.exitCode, report, output, only });
  if (tally.passed + tally.failures.length === 0) tally.failures.push("no test matches");
  return tally;
}

async function preface(clients: Record<string, string>, tally: Tally): Promise<string> {
  const versions = [
    ...["azure-cli", "azure-sdk"].flatMap((name) =>
      readFileSync(path.join(__dirname, "requirements", `${name}.txt`), "utf8")
        .trim()
        .split("\n"),
    ),
    `crane ${moduleVersion("github.com/google/go-containerregistry")}`,
    `registry (CNCF distribution) ${moduleVersion("github.com/distribution/distribution/v3")}`,
    `oras ${moduleVersion("oras.land/oras", "copy-tools")}`,
    `regctl ${moduleVersion("github.com/regclient/regclient", "copy-tools")}`,
    `cosign ${moduleVersion("github.com/sigstore/cosign/v3", "cosign")}`,
    clients.CONFORMANCE_SKOPEO === undefined
      ? "no skopeo, since there is none on PATH"
      : (await runOrFail(clients.CONFORMANCE_SKOPEO, ["--version"])).trim(),
  ];
  return [
    `Written by \`npm run conformance\`: ${closingLine(tally)}. Clients: ${versions.join(", ")}.`,
    "",
    "All of them, and the real Pulumi engine, ran against the emulator on one machine that had other work to do. Live Azure was",
    "not used.",
  ].join("\n");
}

/** The version that the Go modules of the tools pin. */
function moduleVersion(module: string, folder = ""): string {
  const pins = readFileSync(path.join(root, "scripts/tools", folder, "go.mod"), "utf8");
  return (
    pins
      .split("\n")
      .find((line) => line.trim().startsWith(`${module} `))
      ?.trim()
      .split(" ")[1] ?? "unknown"
  );
}

function printNames(title: string, names: readonly string[]): void {
  if (names.length > 0) process.stdout.write(`\n${title}:\n${names.map((name) => `  ${name}`).join("\n")}\n`);
}

main().catch((error: unknown) => {
  printStatus(error instanceof Error ? error.message : String(error));
  process.stdout.write("\n0 passed, 1 failed\n");
  process.exitCode = 1;
});
