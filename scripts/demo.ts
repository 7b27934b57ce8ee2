/** `npm run demo`: takes one image through its life on the real Pulumi engine, against the emulator, and checks each step. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type Emulator, type LogEntry, startEmulator } from "acr-emulator";
import { engineFolder } from "./engine/engine";
import { type EngineReport, readEngineReport } from "./engine-report";
import { environment } from "./environment";
import { endTogether, run, runOrFail } from "./process";
import { azureRequests, digestRequests, importRequests, requestCosts } from "./request-costs";

const example = path.join(__dirname, "../examples/quickstart");
const source = "docker.io/library/hello-world:latest";
const target = "myregistry.azurecr.io/library/hello-world:latest";

const up = ["up", "--yes", "--skip-preview"];
const preview = ["preview", "--diff"];
const destroy = ["destroy", "--yes", "--skip-preview", "--remove"];

async function runSteps(demo: Demo): Promise<void> {
  const first = demo.digest(source);
  await demo.step("The first up imports the image", up, ({ changes, text, requests }) => {
    expectEqual("resources changed", changes, { create: 1 });
    expectEqual("the reference is an output", text.includes(`library/hello-world@${first}"`), true);
    expectEqual("imports", importRequests(requests).length, 1);
    expectEqual("digest in the target", demo.digest(target), first);
  });

  await demo.step("The second up has nothing to do", up, ({ changes, requests }) => {
    const methods = digestRequests(requests).map(({ method }) => method);
    expectEqual("resources changed", changes, { same: 1 });
    expectEqual("requests to the source for the digest", methods, ["HEAD"]);
    expectEqual("requests to Azure", azureRequests(requests).length, 0);
  });

  const second = demo.releaseUpstream();

  await demo.step("Preview shows the new digest and changes nothing", preview, ({ changes, text, requests }) => {
    expectEqual("resources to change", changes, { update: 1 });
    expectEqual("the digests are shown", text.includes(`sourceDigest: "${first}" => "${second}"`), true);
    expectEqual("imports", importRequests(requests).length, 0);
    expectEqual("digest in the target", demo.digest(target), first);
  });

  await demo.step("The next up imports the new image", up, ({ changes, requests }) => {
    expectEqual("resources changed", changes, { update: 1 });
    expectEqual("imports", importRequests(requests).length, 1);
    expectEqual("digest in the target", demo.digest(target), second);
  });

  const title = 'Destroy deletes the resource; the image stays in the registry (onDelete: "retain")';
  await demo.step(title, destroy, ({ changes, requests }) => {
    expectEqual("resources changed", changes, { delete: 1 });
    expectEqual("imports", importRequests(requests).length, 0);
    expectEqual("digest in the target", demo.digest(target), second);
  });
}

interface Step extends EngineReport {
  /** The output of the CLI, without colors. */
  text: string;
  requests: readonly LogEntry[];
}

/** A copy of the quickstart with a stack of its own, whose processes reach only the emulator. */
class Demo {
  readonly #program: string;
  readonly #env: NodeJS.ProcessEnv;
  #steps = 0;

  constructor(
    readonly emulator: Emulator,
    readonly folder: string,
    engine: string,
  ) {
    this.#program = path.join(folder, "quickstart");
    cpSync(example, this.#program, { recursive: true });
    symlinkSync(path.join(__dirname, "../node_modules"), path.join(this.#program, "node_modules"));
    const home = path.join(folder, "home");
    mkdirSync(home);
    this.#env = environment(home, { ...emulator.env, PULUMI_DEBUG_COMMANDS: "true" /* --event-log */ });
    this.#env.PATH = [engine, this.#env.PATH].join(path.delimiter);
  }

  async createStack(): Promise<void> {
    await runOrFail("pulumi", ["stack", "init", "dev", "--non-interactive"], { cwd: this.#program, env: this.#env });
  }

  /** Runs the CLI, prints its output and its requests, and checks what it did. */
  async step(what: string, args: readonly string[], check: (step: Step) => void): Promise<void> {
    this.#steps += 1;
    printTitle(`${this.#steps}. ${what}`);
    print(`$ pulumi ${args.join(" ")}\n`);
    const log = path.join(this.folder, `events-${this.#steps}.json`);
    const color = process.stdout.isTTY ? "always" : "never";
    const display = ["--non-interactive", "--suppress-progress", "--color", color, "--event-log", log];
    this.emulator.log.clear();
    const { exitCode, stdout, stderr } = await run("pulumi", [...args, ...display], {
      cwd: this.#program,
      env: this.#env,
      timeout: 180_000,
      onOutput: (text) => process.stdout.write(text),
    });
    const requests = this.emulator.log.select(new URLSearchParams());
    print(`${stdout.endsWith("\n\n") ? "" : "\n"}${requestCosts(requests)}`);
    expectEqual("exit code", exitCode, 0);
    check({ ...(await readEngineReport(log)), text: stripVTControlCharacters(stdout + stderr), requests });
  }

  /** Puts a new image behind the tag of the source. */
  releaseUpstream(): string {
    printTitle("Meanwhile, a new image is released under the same tag");
    const before = this.digest(source);
    const { digest } = this.emulator.images.replace(source);
    print(`${source}\n  before  ${before}\n  now     ${digest}`);
    return digest;
  }

  digest(reference: string): string | undefined {
    return this.emulator.images.describe(reference)?.digest;
  }
}

function expectEqual(what: string, found: unknown, expected: unknown): void {
  const [is, wanted] = [JSON.stringify(found), JSON.stringify(expected)];
  if (is !== wanted) throw new Error(`${what}: expected ${wanted}, found ${is}`);
}

function printTitle(text: string): void {
  const [bold, plain] = process.stdout.isTTY ? ["\u001b[1m", "\u001b[0m"] : ["", ""];
  print(`\n${bold}━━ ${text} ${"━".repeat(Math.max(0, 90 - text.length))}${plain}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function printIntroduction(): void {
  const program = readFileSync(path.join(example, "index.ts"), "utf8").trimEnd();
  print(
    [
      "This program runs on the real Pulumi engine. Azure and Docker Hub are emulated on this machine.",
      "Nothing outside a temporary folder is changed.\n",
      ...program.split("\n").map((line) => `  ${line}`.trimEnd()),
    ].join("\n"),
  );
}

async function main(): Promise<void> {
  const started = Date.now();
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
    printIntroduction();
    const demo = new Demo(emulator, folder, engine);
    await demo.createStack();
    await runSteps(demo);
    const seconds = Math.round((Date.now() - started) / 1000);
    print(`\nAll steps did what their titles say, in ${seconds} s.`);
    print("examples/README.md shows how to run more programs against the emulator.");
  } finally {
    await cleanUp();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
