/** A Pulumi stack in a folder of its own, with the local file back end. */
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Running, start } from "../scripts/process";
import { type Duration, time } from "./duration";
import type { Program, SourceImage } from "./programs";

export type Operation = "up" | "preview";

export interface RunOptions {
  /** Variables that are added to the environment, or removed from it. */
  readonly env?: NodeJS.ProcessEnv;
  /** Called when the engine has started. */
  readonly watch?: (engine: Running) => void;
}

const thisCheckout = path.join(__dirname, "..");

export class Stack {
  private constructor(
    readonly program: Program,
    readonly images: number,
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static async create(
    program: Program,
    images: readonly SourceImage[],
    { folder, env }: { readonly folder: string; readonly env: NodeJS.ProcessEnv },
  ): Promise<Stack> {
    // Names of the same length everywhere: they are part of the state.
    const own = await mkdtemp(path.join(folder, "stack-"));
    const stack = new Stack(program, images.length, path.join(own, "program"), {
      ...env,
      PULUMI_BACKEND_URL: `file://${path.join(own, "state")}`,
    });
    await mkdir(stack.folder);
    await mkdir(path.join(own, "state"));
    const main = `index.${program.extension ?? "js"}`;
    const files = {
      "Pulumi.yaml": "name: bench\nruntime: nodejs\n",
      "package.json": JSON.stringify({ private: true, main }),
      "images.json": JSON.stringify(images.map((image) => ({ name: image.name, args: program.args(image) }))),
      [main]: program.main,
      ...program.files,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(stack.folder, name), text);
    await symlink(path.join(program.checkout ?? thisCheckout, "node_modules"), path.join(stack.folder, "node_modules"));
    await stack.pulumi(["stack", "init", "dev"]);
    return stack;
  }

  /** The first deployment, as a user runs it. */
  firstUp(...args: readonly string[]): Promise<Duration> {
    return time(() => this.pulumi(["up", "--yes", "--skip-preview", ...args]));
  }

  /** The first deployment where its time does not matter: the back end writes the state once, not at every step. */
  async deployQuickly(): Promise<void> {
    const env = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };
    await this.pulumi(["up", "--yes", "--skip-preview", "--parallel", "64"], { env });
  }

  /** Runs an operation; fails if it changes anything. */
  async runNoOp(operation: Operation, options: RunOptions = {}): Promise<Duration> {
    const skip = operation === "up" ? ["--yes", "--skip-preview"] : [];
    let output = "";
    const duration = await time(async () => {
      output = await this.pulumi([operation, ...skip, "--expect-no-changes"], options);
    });
    if (!output.includes(` ${this.images + 1} unchanged`)) {
      throw new Error(`pulumi ${operation} of ${this.images} × ${this.program.title} changed something:\n${output}`);
    }
    return duration;
  }

  /** What a preview of changes prints, in the order of its lines. */
  previewDiff(): Promise<string> {
    return this.pulumi(["preview", "--diff"]);
  }

  /** The state file of the back end. */
  stateFile(): string {
    return readFileSync(path.join(this.folder, "../state/.pulumi/stacks/bench/dev.json"), "utf8");
  }

  private async pulumi(args: readonly string[], { env, watch }: RunOptions = {}): Promise<string> {
    const engine = start("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: this.folder,
      env: { ...this.env, ...env },
    });
    watch?.(engine);
    const { exitCode } = await engine.finished;
    if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} failed (${exitCode}):\n${engine.output()}`);
    return engine.output();
  }
}
