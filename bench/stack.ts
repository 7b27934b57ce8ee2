/** A Pulumi stack that is deployed once and then measured while nothing changes. */
import { readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Running, start } from "../scripts/process";
import type { Program } from "./programs";

export interface StackOptions {
  /** A temporary folder. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

export type Operation = "up" | "preview";

/** The duration of one run of an operation. */
export interface Duration {
  readonly ms: number;
  /** Processor time of the engine, the program and the plugin together; `undefined` where the system does not report it. */
  readonly cpuMs: number | undefined;
}

const thisCheckout = path.join(__dirname, "..");

export class Stack {
  private constructor(
    readonly program: Program,
    readonly images: number,
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static async deploy(program: Program, images: number, { folder, env }: StackOptions): Promise<Stack> {
    const own = path.join(folder, `stack-${++stacks}`);
    // Names of the same length everywhere: they are part of the state.
    const stack = new Stack(program, images, path.join(own, "program"), {
      ...env,
      PULUMI_BACKEND_URL: `file://${path.join(own, "state")}`,
    });
    await mkdir(stack.folder, { recursive: true });
    await mkdir(path.join(own, "state"));
    const files = {
      "Pulumi.yaml": "name: bench\nruntime: nodejs\n",
      "package.json": '{ "private": true, "main": "index.js" }\n',
      ...program.files(images),
    };
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(stack.folder, name), text);
    await symlink(path.join(program.checkout ?? thisCheckout, "node_modules"), path.join(stack.folder, "node_modules"));
    await stack.pulumi(["stack", "init", "dev"], {});
    // Otherwise the file back end writes the whole state again at every step.
    const quick = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };
    await stack.pulumi(["up", "--yes", "--skip-preview", "--parallel", "64"], quick);
    return stack;
  }

  /** Runs an operation; fails if it changes anything. */
  async runNoOp(operation: Operation, watch: (engine: Running) => void = () => {}): Promise<Duration> {
    const cpuBefore = cpuOfChildren();
    const before = performance.now();
    const skip = operation === "up" ? ["--yes", "--skip-preview"] : [];
    const output = await this.pulumi([operation, ...skip, "--expect-no-changes"], {}, watch);
    const ms = performance.now() - before;
    const cpuAfter = cpuOfChildren();
    if (!output.includes(` ${this.images + 1} unchanged`)) {
      throw new Error(`pulumi ${operation} of ${this.images} × ${this.program.title} changed something:\n${output}`);
    }
    return { ms, cpuMs: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore };
  }

  /** The state file of the back end. */
  stateFile(): string {
    return readFileSync(path.join(this.folder, "../state/.pulumi/stacks/bench/dev.json"), "utf8");
  }

  private async pulumi(args: readonly string[], env: NodeJS.ProcessEnv, watch?: (engine: Running) => void) {
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

let stacks = 100;

/** Processor time of all descendants of this process that have ended so far. */
function cpuOfChildren(): number | undefined {
  if (process.platform !== "linux") return undefined;
  const stat = readFileSync("/proc/self/stat", "utf8");
  // "pid (name) state parent …", where the name may contain anything; times are in hundredths of a second
  // (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
