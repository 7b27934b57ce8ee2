import { readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Running, start } from "../scripts/process";
import type { Program } from "./programs";

/** Where and with what the stacks of one bench run. */
export interface Surroundings {
  /** A temporary folder. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

export type Operation = "up" | "preview";

/** What one run of an operation took. */
export interface Duration {
  readonly ms: number;
  /** Processor time of the engine, the program and the plugin together; `undefined` where the system does not tell. */
  readonly cpuMs: number | undefined;
}

const checkout = path.join(__dirname, "..");

/** A program with so many resources, deployed once; from then on nothing changes. */
export class Stack {
  private constructor(
    readonly program: Program,
    readonly images: number,
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static async deploy(program: Program, images: number, { folder, env }: Surroundings): Promise<Stack> {
    const own = path.join(folder, `stack-${++stacks}`);
    // The same names and lengths everywhere: they are part of the state.
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
    await symlink(path.join(checkout, "node_modules"), path.join(stack.folder, "node_modules"));
    await stack.must(["stack", "init", "dev"], {});
    // The file back end would write the whole state anew at every step.
    const quick = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };
    await stack.must(["up", "--yes", "--skip-preview", "--parallel", "64"], quick);
    return stack;
  }

  /** Runs an operation that must find nothing to do. */
  async unchanged(operation: Operation, watch: (engine: Running) => void = () => {}): Promise<Duration> {
    const cpuBefore = cpuOfChildren();
    const before = performance.now();
    const skip = operation === "up" ? ["--yes", "--skip-preview"] : [];
    const output = await this.must([operation, ...skip, "--expect-no-changes"], {}, watch);
    const ms = performance.now() - before;
    const cpuAfter = cpuOfChildren();
    if (!output.includes(` ${this.images + 1} unchanged`)) {
      throw new Error(`pulumi ${operation} of ${this.images} × ${this.program.title} did something:\n${output}`);
    }
    return { ms, cpuMs: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore };
  }

  /** The state as the back end keeps it. */
  stateFile(): string {
    return readFileSync(path.join(this.folder, "../state/.pulumi/stacks/bench/dev.json"), "utf8");
  }

  private async must(args: readonly string[], env: NodeJS.ProcessEnv, watch?: (engine: Running) => void) {
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

/** Processor time of every process below this one that has ended so far. */
function cpuOfChildren(): number | undefined {
  if (process.platform !== "linux") return undefined;
  const stat = readFileSync("/proc/self/stat", "utf8");
  // "pid (name) state parent …", and the name may hold anything; times come in hundredths of a second.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
