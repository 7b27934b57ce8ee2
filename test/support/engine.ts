import { cpSync, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { killTree, type Running, run, start } from "../../scripts/process";
import { environment } from "./environment";

const checkout = path.join(__dirname, "../..");

export interface ProjectOptions {
  /** The text of the program. */
  program?: string;
  /** Or a folder of examples/, of which a copy runs. */
  example?: string;
  language?: "javascript" | "typescript";
  /** Variables for every command, such as the emulator's. */
  env?: NodeJS.ProcessEnv;
  /** Stack configuration; values of `secrets` are stored encrypted. */
  config?: Record<string, string>;
  secrets?: Record<string, string>;
  /** Where the program finds its packages; the checkout's own node_modules by default. */
  nodeModules?: string;
}

export interface CommandOptions {
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
  timeout?: number;
}

export interface StepMetadata {
  op: string;
  urn: string;
  type: string;
  old?: { inputs?: Record<string, unknown>; outputs?: Record<string, unknown> };
  new?: { inputs?: Record<string, unknown>; outputs?: Record<string, unknown> };
}

/** What the engine reports while it works, one object per event, exactly one key besides the first two. */
export interface EngineEvent {
  sequence: number;
  timestamp: number;
  resourcePreEvent?: { metadata: StepMetadata; planning?: boolean };
  resOutputsEvent?: { metadata: StepMetadata; planning?: boolean };
  resOpFailedEvent?: { metadata: StepMetadata };
  diagnosticEvent?: { urn?: string; message: string; severity: string; ephemeral?: boolean };
  summaryEvent?: { resourceChanges: Record<string, number> };
}

export interface CommandResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** stdout and stderr together. */
  text: string;
}

export interface Outcome extends CommandResult {
  events: EngineEvent[];
  /** What the CLI's summary counts, less the stack itself: `{ create: 1 }`. */
  changes: Record<string, number>;
  /** What the engine does with one resource, by its name in the program; several steps when it is replaced. */
  steps(name: string): StepMetadata[];
  /** Messages of one severity, without colour codes. */
  diagnostics(severity: "error" | "warning" | "info"): string[];
}

export interface ResourceState {
  urn: string;
  type: string;
  id?: string;
  custom: boolean;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  initErrors?: string[];
}

export interface StackState {
  /** The export as text, secrets encrypted unless asked for. */
  text: string;
  resources: ResourceState[];
  pendingOperations: unknown[];
  /** One resource by its name in the program. */
  resource(name: string): ResourceState;
}

/** A Pulumi project in a temporary folder, with a home, a back end and a stack `dev` of its own, run by the real CLI. */
export class PulumiProject {
  /** Where the program is. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  private readonly running = new Set<Running>();
  private commands = 0;

  private constructor(
    private readonly root: string,
    env: NodeJS.ProcessEnv,
  ) {
    this.folder = path.join(root, "program");
    const home = path.join(root, "home");
    this.env = {
      ...environment(home),
      AZURE_CONFIG_DIR: path.join(home, ".azure"),
      DOCKER_CONFIG: path.join(home, ".docker"),
      ...env,
      PATH: [engineFolder(), env.PATH ?? environment(home).PATH].join(path.delimiter),
      PULUMI_HOME: path.join(home, ".pulumi"),
      PULUMI_BACKEND_URL: `file://${path.join(root, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_DEBUG_COMMANDS: "true", // --event-log
    };
  }

  static async create(options: ProjectOptions): Promise<PulumiProject> {
    const root = await mkdtemp(path.join(tmpdir(), "pulumi-project-"));
    const project = new PulumiProject(root, options.env ?? {});
    open.add(project);
    await mkdir(project.folder);
    await mkdir(path.join(root, "home"));
    await mkdir(path.join(root, "state"));
    if (options.example !== undefined) {
      cpSync(path.join(checkout, "examples", options.example), project.folder, {
        recursive: true,
        filter: (file) => path.basename(file) !== "node_modules",
      });
    }
    if (options.program !== undefined) await project.write(options.program, options.language);
    if (!existsSync(path.join(project.folder, "Pulumi.yaml"))) {
      await writeFile(path.join(project.folder, "Pulumi.yaml"), "name: app\nruntime: nodejs\n");
    }
    const nodeModules = options.nodeModules ?? path.join(checkout, "node_modules");
    await symlink(nodeModules, path.join(project.folder, "node_modules"));
    await project.must(["stack", "init", "dev"]);
    for (const [key, value] of Object.entries(options.config ?? {})) await project.must(["config", "set", key, value]);
    for (const [key, value] of Object.entries(options.secrets ?? {})) {
      await project.must(["config", "set", "--secret", key, value]);
    }
    return project;
  }

  /** Replaces the program. */
  async write(program: string, language: "javascript" | "typescript" = "javascript"): Promise<void> {
    const file = language === "typescript" ? "index.ts" : "index.js";
    await writeFile(path.join(this.folder, file), program);
    await writeFile(path.join(this.folder, "package.json"), JSON.stringify({ private: true, main: file }));
  }

  up(options?: CommandOptions): Promise<Outcome> {
    return this.operation("up", ["--yes", "--skip-preview"], options);
  }

  preview(options?: CommandOptions): Promise<Outcome> {
    return this.operation("preview", [], options);
  }

  refresh(options?: CommandOptions): Promise<Outcome> {
    return this.operation("refresh", ["--yes", "--skip-preview"], options);
  }

  destroy(options?: CommandOptions): Promise<Outcome> {
    return this.operation("destroy", ["--yes", "--skip-preview"], options);
  }

  /** Starts an operation without waiting for its end, for tests that interrupt or kill it. */
  start(command: string, args: readonly string[] = ["--yes", "--skip-preview"], env: NodeJS.ProcessEnv = {}): Running {
    const running = start("pulumi", [command, ...plain, ...args], { cwd: this.folder, env: { ...this.env, ...env } });
    this.running.add(running);
    return running;
  }

  /** Any other command of the CLI. */
  async pulumi(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return this.execute([...args, ...(options.args ?? [])], options);
  }

  async state(options: { secrets?: boolean } = {}): Promise<StackState> {
    const text = await this.must(["stack", "export", ...(options.secrets ? ["--show-secrets"] : [])]);
    const { resources = [], pending_operations: pendingOperations = [] } = JSON.parse(text).deployment;
    const resource = (name: string) => {
      const found = (resources as ResourceState[]).filter(({ urn }) => nameOf(urn) === name);
      if (found.length !== 1) throw new Error(`${found.length} resources named "${name}" in the state:\n${text}`);
      return found[0] as ResourceState;
    };
    return { text, resources, pendingOperations, resource };
  }

  async outputs(options: { secrets?: boolean } = {}): Promise<Record<string, unknown>> {
    return JSON.parse(await this.must(["stack", "output", "--json", ...(options.secrets ? ["--show-secrets"] : [])]));
  }

  /** Every byte that the back end keeps: state, history and backups. Nothing secret may be in it. */
  backend(): string {
    const folder = path.join(this.root, "state");
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "utf8"))
      .join("\n");
  }

  /** Ends what still runs and removes the folder. */
  async close(): Promise<void> {
    open.delete(this);
    for (const running of this.running) running.kill();
    for (const pid of processesBelow(this.root)) killTree(pid);
    await rm(this.root, { recursive: true, force: true, maxRetries: 5 });
  }

  private async operation(command: string, args: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
    this.commands += 1;
    const log = path.join(this.root, `events-${this.commands}.json`);
    const result = await this.execute(
      [command, ...plain, "--event-log", log, ...args, ...(options.args ?? [])],
      options,
    );
    const events = await readEvents(log);
    return { ...result, ...describe(events), events };
  }

  private async must(args: readonly string[]): Promise<string> {
    const { exitCode, stdout, text } = await this.execute(args, {});
    if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} failed (${exitCode}):\n${text}`);
    return stdout;
  }

  private async execute(args: readonly string[], { env, timeout = 90_000 }: CommandOptions): Promise<CommandResult> {
    const { exitCode, stdout, stderr } = await run("pulumi", args, {
      cwd: this.folder,
      env: { ...this.env, ...env },
      timeout,
    });
    return { exitCode, stdout, stderr, text: `${stdout}${stderr}` };
  }
}

const plain = ["--non-interactive", "--color", "never"];

const open = new Set<PulumiProject>();
// A test file that imports this harness leaves nothing behind, whatever its tests forget.
afterAll(async () => {
  for (const project of open) await project.close();
});

function engineFolder(): string {
  const folder = process.env.TEST_ENGINE;
  if (folder === undefined) throw new Error("TEST_ENGINE is not set: engine tests belong into test/engine/");
  return folder;
}

async function readEvents(log: string): Promise<EngineEvent[]> {
  if (!existsSync(log)) return [];
  const lines = (await readFile(log, "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as EngineEvent);
}

function describe(events: readonly EngineEvent[]): Pick<Outcome, "changes" | "steps" | "diagnostics"> {
  const steps = events.flatMap(({ resourcePreEvent }) => (resourcePreEvent ? [resourcePreEvent.metadata] : []));
  const summary = events.find(({ summaryEvent }) => summaryEvent !== undefined)?.summaryEvent;
  const stack = steps.find(({ type }) => type === "pulumi:pulumi:Stack")?.op;
  const changes = { ...summary?.resourceChanges };
  const counted = stack === "refresh" ? "same" : stack;
  if (counted !== undefined && changes[counted] !== undefined) {
    changes[counted] -= 1;
    if (changes[counted] === 0) delete changes[counted];
  }
  return {
    changes,
    steps: (name) => steps.filter(({ urn }) => nameOf(urn) === name),
    diagnostics: (severity) =>
      events.flatMap(({ diagnosticEvent: event }) =>
        event?.severity === severity ? [event.message.replace(/<\{%\w+%\}>/g, "")] : [],
      ),
  };
}

function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

/** A plugin outlives a killed CLI; it is known by the folder it runs in. */
function processesBelow(folder: string): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
      } catch {
        return false;
      }
    })
    .map(Number);
}
