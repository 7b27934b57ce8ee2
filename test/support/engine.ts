/** Runs Pulumi projects with the real engine and CLI. */
import { cpSync, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type EngineReport, nameOf, readEngineReport } from "../../scripts/engine-report";
import { environment } from "../../scripts/environment";
import { killTree, type Running, run, start } from "../../scripts/process";

const checkout = path.join(__dirname, "../..");

export interface ProjectOptions {
  /** Source text of the program. */
  program?: string;
  /** Instead of `program`: a folder of examples/, which is copied. */
  example?: string;
  language?: "javascript" | "typescript";
  /** Variables for every command, such as the emulator's. */
  env?: NodeJS.ProcessEnv;
  /** Stack configuration; values of `secrets` are stored encrypted. */
  config?: Record<string, string>;
  secrets?: Record<string, string>;
  /** The node_modules of the program; by default that of the checkout. */
  nodeModules?: string;
}

export interface CommandOptions {
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
}

export interface CommandResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** stdout and stderr together. */
  text: string;
}

export interface Outcome extends CommandResult, EngineReport {}

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

/** A Pulumi project in a temporary folder, with its own home, backend and stack `dev`, run by the real CLI. */
export class PulumiProject {
  /** The folder of the program. */
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

  /** Starts an operation without waiting for its end, so that a test can interrupt or kill it. */
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

  /** Everything that the backend stores: state, history and backups. It must not contain secrets. */
  backend(): string {
    const folder = path.join(this.root, "state");
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "utf8"))
      .join("\n");
  }

  /** Ends running commands and removes the folder. */
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
    return { ...result, ...(await readEngineReport(log)) };
  }

  private async must(args: readonly string[]): Promise<string> {
    const { exitCode, stdout, text } = await this.execute(args, {});
    if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} failed (${exitCode}):\n${text}`);
    return stdout;
  }

  private async execute(args: readonly string[], { env }: CommandOptions): Promise<CommandResult> {
    const { exitCode, stdout, stderr } = await run("pulumi", args, {
      cwd: this.folder,
      env: { ...this.env, ...env },
    });
    return { exitCode, stdout, stderr, text: `${stdout}${stderr}` };
  }
}

const plain = ["--non-interactive", "--color", "never"];

const open = new Set<PulumiProject>();
// Cleans up after every test file that uses projects.
afterAll(async () => {
  for (const project of open) await project.close();
});

function engineFolder(): string {
  const folder = process.env.TEST_ENGINE;
  if (folder === undefined) throw new Error("TEST_ENGINE is not set: engine tests belong into test/engine/");
  return folder;
}

/** A plugin outlives a killed CLI, and is found by its working directory. */
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
