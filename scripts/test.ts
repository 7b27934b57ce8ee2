/** `npm test`: runs everything that must pass; `npm test -- WORDS`: only the tests whose file, or else whose name, matches. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { engineFolder } from "./engine/engine";
import { describeNode } from "./node-versions.cjs";
import { endTogether, run } from "./process";
import { closingLine, type JestReport, sum, type Tally, tallyJest } from "./tally";

const root = path.join(__dirname, "..");
const MINUTE = 60_000;
/** A hang ends before CI's own limit of 90 minutes, however slow the machine is. */
const DEADLINE = Date.now() + 80 * MINUTE;

interface Step {
  name: string;
  run(): Promise<Tally>;
}

function everything(temporary: string): Step[] {
  const packed = () =>
    path.join(temporary, readdirSync(temporary).find((name) => name.endsWith(".tgz")) ?? "no package");
  return [
    command("format and lint", "biome", ["check", "--error-on-warnings", "."]),
    // Before the types: the examples are compiled against the package as published.
    command("build", process.execPath, [path.join(root, "scripts/bootstrap.cjs")]),
    command("types", "tsc", ["--noEmit", "-p", "."]),
    jest("unit tests", temporary, ["--selectProjects", "unit"]),
    jest("protocol tests", temporary, ["--selectProjects", "protocol"]),
    jest("plugin tests", temporary, ["--selectProjects", "plugin"]),
    check("Pulumi engine", async () => void (await engineFolder())),
    jest("engine tests", temporary, ["--selectProjects", "engine"]),
    command("package: packs", "npm", ["pack", "--ignore-scripts", "--pack-destination", temporary]),
    check("package: publint", () => execute("publint", ["run", packed(), "--strict"])),
    check("package: types for every kind of import", () =>
      execute("attw", [packed(), "--profile", "node16", "--no-definitely-typed", "--no-emoji"]),
    ),
  ];
}

async function matching(words: readonly string[], temporary: string): Promise<Step[]> {
  const isPlain = words.every((word) => !word.startsWith("-"));
  const files = isPlain ? await execute("jest", ["--listTests", ...words]) : "";
  const byName = isPlain && files.trim() === "";
  const args = byName ? ["-t", words.join(" ")] : words;
  const nameAt = args.findIndex((word) => word === "-t" || word === "--testNamePattern");
  const only = nameAt < 0 ? undefined : new RegExp(args[nameAt + 1] ?? "", "i");
  return [jest(`tests matching ${words.join(" ")}`, temporary, ["--verbose", ...args], only)];
}

function command(name: string, executable: string, args: readonly string[]): Step {
  return check(name, () => execute(executable, args));
}

function check(name: string, work: () => Promise<unknown>): Step {
  return {
    name,
    async run() {
      await work();
      return { passed: 1, failures: [], skipped: [] };
    },
  };
}

function jest(name: string, temporary: string, args: readonly string[], only?: RegExp): Step {
  return {
    name,
    async run() {
      const file = path.join(temporary, `${name.replace(/\W+/g, "-")}.json`);
      const colors = process.stdout.isTTY ? ["--colors"] : [];
      const { exitCode, stdout, stderr } = await run(
        tool("jest"),
        ["--json", "--outputFile", file, ...colors, ...args],
        {
          cwd: root,
          // Files that tests leave behind, also when they are interrupted, are removed with this folder.
          env: { ...process.env, TMPDIR: temporary },
          timeout: remaining(),
          onOutput: (text) => process.stdout.write(text),
        },
      );
      return tallyJest({ name, exitCode, report: readReport(file), output: stdout + stderr, only });
    },
  };
}

function remaining(): number {
  return Math.max(DEADLINE - Date.now(), MINUTE);
}

function readReport(file: string): JestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** Runs a tool; its output is shown only when it fails. */
async function execute(executable: string, args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(tool(executable), args, { cwd: root, timeout: remaining() });
  if (exitCode !== 0) throw new Error(`${stdout}${stderr}`.trimEnd());
  return stdout;
}

function tool(name: string): string {
  return name === "npm" || path.isAbsolute(name) ? name : path.join(root, "node_modules", ".bin", name);
}

async function runAll(steps: readonly Step[]): Promise<Tally> {
  const tallies: Tally[] = [];
  for (const step of steps) {
    print(`\n— ${step.name} …`);
    const started = Date.now();
    const tally = await step.run().catch((error: unknown): Tally => {
      print(error instanceof Error ? error.message : String(error));
      return { passed: 0, failures: [step.name], skipped: [] };
    });
    const took = `${((Date.now() - started) / 1000).toFixed(1)} s`;
    print(`— ${step.name}: ${closingLine(tally)} (${took})`);
    tallies.push(tally);
  }
  return sum(tallies);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<void> {
  const temporary = mkdtempSync(path.join(tmpdir(), "npm-test-"));
  endTogether(() => rmSync(temporary, { recursive: true, force: true, maxRetries: 5 }));
  try {
    print(describeNode(process.version));
    const words = process.argv.slice(2);
    const total = await runAll(words.length === 0 ? everything(temporary) : await matching(words, temporary));
    if (words.length > 0 && total.passed + total.failures.length === 0) total.failures.push("no test matches");
    if (total.failures.length > 0) print(`\nFailed:\n${total.failures.map((name) => `  ${name}`).join("\n")}`);
    if (total.skipped.length > 0) print(`\nSkipped:\n${total.skipped.map((name) => `  ${name}`).join("\n")}`);
    print(`\n${closingLine(total)}`);
    process.exitCode = total.failures.length === 0 ? 0 : 1;
  } catch (error) {
    print(`${error instanceof Error ? error.message : String(error)}\n\n0 passed, 1 failed`);
    process.exitCode = 1;
  } finally {
    rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  }
}

void main();
