import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type Emulator, startEmulator } from "../emulator/emulator";
import type { LogEntry } from "../emulator/request-log";
import { engineFolder } from "./engine/engine";
import { type EngineReport, readEngineReport } from "./engine-report";
import { environment } from "./environment";
import { endTogether, run, runOrFail } from "./process";
import { imports, lookUps, requestCosts, toAzure } from "./request-costs";

// `npm run demo`: the life of an imported image on the real Pulumi engine, against the emulator. Each step is checked.

const source = "docker.io/library/hello-world:latest";
const target = "myregistry.azurecr.io/library/hello-world:latest";
const up = ["up", "--yes", "--skip-preview"];

async function tell(demo: Demo): Promise<void> {
  const first = demo.digest(source);
  await demo.step("The first up imports the image", up, ({ changes, text, requests }) => {
    same("resources changed", changes, { create: 1 });
    same("the reference is among the outputs", text.includes(`library/hello-world@${first}"`), true);
    same("imports", imports(requests).length, 1);
    same("digest in the target", demo.digest(target), first);
  });

  await demo.step("The second up finds nothing to do", up, ({ changes, requests }) => {
    same("resources changed", changes, { same: 1 });
    same(
      "look-ups",
      lookUps(requests).map(({ method }) => method),
      ["HEAD"],
    );
    same("requests to Azure", toAzure(requests).length, 0);
  });

  const second = demo.moveUpstream();

  await demo.step(
    "Preview shows the new digest and changes nothing",
    ["preview", "--diff"],
    ({ changes, text, requests }) => {
      same("resources to change", changes, { update: 1 });
      same("the line of the digest", text.includes(`sourceDigest: "${first}" => "${second}"`), true);
      same("imports", imports(requests).length, 0);
      same("digest in the target", demo.digest(target), first);
    },
  );

  await demo.step("Up imports the new image", up, ({ changes, requests }) => {
    same("resources changed", changes, { update: 1 });
    same("imports", imports(requests).length, 1);
    same("digest in the target", demo.digest(target), second);
  });

  const destroy = ["destroy", "--yes", "--skip-preview"];
  await demo.step(
    "Destroy ends the stack, and the image stays (onDelete: retain)",
    destroy,
    ({ changes, requests }) => {
      same("resources changed", changes, { delete: 1 });
      same("imports", imports(requests).length, 0);
      same("digest in the target", demo.digest(target), second);
    },
  );
}

interface Step extends EngineReport {
  /** What the CLI printed, without colours. */
  text: string;
  requests: readonly LogEntry[];
}

/** A copy of the quickstart with a stack of its own, in the emulator's world. */
class Demo {
  readonly #program: string;
  readonly #env: NodeJS.ProcessEnv;
  #steps = 0;

  constructor(
    readonly emulator: Emulator,
    readonly folder: string,
    engine: string,
  ) {
    const checkout = path.join(__dirname, "..");
    this.#program = path.join(folder, "quickstart");
    cpSync(path.join(checkout, "examples/quickstart"), this.#program, { recursive: true });
    symlinkSync(path.join(checkout, "node_modules"), path.join(this.#program, "node_modules"));
    const home = path.join(folder, "home");
    mkdirSync(home);
    this.#env = environment(home, { ...emulator.env, PULUMI_DEBUG_COMMANDS: "true" /* --event-log */ });
    this.#env.PATH = [engine, this.#env.PATH].join(path.delimiter);
  }

  async makeStack(): Promise<void> {
    await runOrFail("pulumi", ["stack", "init", "dev", "--non-interactive"], { cwd: this.#program, env: this.#env });
  }

  /** Runs the CLI, shows what it prints and what it cost, and checks what it did. */
  async step(what: string, args: readonly string[], check: (step: Step) => void): Promise<void> {
    title(what);
    print(`$ pulumi ${args.join(" ")}\n`);
    this.#steps += 1;
    const log = path.join(this.folder, `events-${this.#steps}.json`);
    const color = process.stdout.isTTY ? "always" : "never";
    const display = ["--non-interactive", "--suppress-progress", "--color", color, "--event-log", log];
    this.emulator.log.clear();
    const began = Date.now();
    const { exitCode, stdout, stderr } = await run("pulumi", [...args, ...display], {
      cwd: this.#program,
      env: this.#env,
      timeout: 180_000,
      onOutput: (text) => process.stdout.write(text),
    });
    const requests = this.emulator.log.select(new URLSearchParams());
    print(`${stdout.endsWith("\n\n") ? "" : "\n"}${requestCosts(requests)}\nTime: ${seconds(began)}`);
    same("exit code", exitCode, 0);
    check({ ...(await readEngineReport(log)), text: stripVTControlCharacters(stdout + stderr), requests });
  }

  moveUpstream(): string {
    title("Upstream, somebody releases a new image under the same tag");
    const before = this.digest(source);
    const { digest } = this.emulator.images.replace(source);
    print(`${source}\n  was ${before}\n  is  ${digest}`);
    return digest;
  }

  digest(reference: string): string | undefined {
    return this.emulator.images.describe(reference)?.digest;
  }
}

function same(what: string, is: unknown, should: unknown): void {
  const [found, wanted] = [JSON.stringify(is), JSON.stringify(should)];
  if (found !== wanted) throw new Error(`${what}: expected ${wanted}, found ${found}`);
}

function title(text: string): void {
  const bold = process.stdout.isTTY ? ["\u001b[1m", "\u001b[0m"] : ["", ""];
  print(`\n${bold[0]}━━ ${text} ${"━".repeat(Math.max(0, 90 - text.length))}${bold[1]}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

async function main(): Promise<void> {
  const began = Date.now();
  let cleanUp = async () => {};
  endTogether(() => cleanUp());
  const engine = await engineFolder();
  const folder = mkdtempSync(path.join(tmpdir(), "acr-import-demo-"));
  const emulator = await startEmulator({ caller: {} });
  cleanUp = async () => {
    await emulator.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const demo = new Demo(emulator, folder, engine);
    await demo.makeStack();
    await tell(demo);
    print(`\nEach step did what it should. The demo took ${seconds(began)}.`);
  } finally {
    await cleanUp();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`\nThe demo failed. ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
