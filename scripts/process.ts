/** Runs commands, and ends them together with all that they started. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface RunOptions {
  cwd?: string;
  /** The complete environment of the child. Default: that of this process. */
  env?: NodeJS.ProcessEnv;
  /** Milliseconds after which the child and its descendants are killed and the run fails. Default: none. */
  timeout?: number;
  onOutput?: (text: string) => void;
}

export interface Finished {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs a command until it ends, whatever its exit code. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = start(command, args, options);
  const { timeout } = options;
  if (timeout === undefined) return child.finished;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      child.kill();
      reject(new Error(`${describe(command, args)} did not end within ${timeout / 1000} s:\n${child.output()}`));
    }, timeout);
  });
  try {
    return await Promise.race([child.finished, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a command that must succeed, and returns its stdout. */
export async function runOrFail(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { exitCode, signal, stdout, stderr } = await run(command, args, options);
  if (exitCode !== 0) {
    const how = signal === null ? `exit code ${exitCode}` : signal;
    throw new Error(`${describe(command, args)} failed (${how}):\n${`${stdout}${stderr}`.trimEnd()}`);
  }
  return stdout;
}

export interface Running {
  readonly pid: number;
  readonly finished: Promise<Finished>;
  /** The output so far, stdout and stderr in order of arrival. */
  output(): string;
  /** The first line of stdout or stderr that matches; fails when the process ends first, or after `timeout` ms if given. */
  line(pattern: RegExp, timeout?: number): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** Sends `signal`, and after `grace` milliseconds kills the process with its descendants; resolves when it has ended. */
  stop(signal?: NodeJS.Signals, grace?: number): Promise<Finished>;
  /** Kills the process and its descendants. */
  kill(): void;
}

const live = new Set<Running>();
let ending = false;

/** Starts a command and does not wait for it. It is killed when this process ends, at the latest. */
export function start(command: string, args: readonly string[], options: RunOptions = {}): Running {
  const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  let both = "";
  const watchers = new Set<() => void>();
  const collect = (text: string) => {
    both += text;
    options.onOutput?.(text);
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    collect(text);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    collect(text);
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${describe(command, args)} cannot be started: ${error.message}`)));
    // "close" also waits for the output of descendants: a daemon that is left behind would delay it forever.
    child.once("exit", (exitCode, signal) => {
      if (ending) return; // killed by `endTogether`: no caller may continue or report a failure
      const end = () => resolve({ exitCode, signal, stdout, stderr });
      const timer = setTimeout(end, 2_000);
      child.once("close", () => {
        clearTimeout(timer);
        end();
      });
    });
  });
  const running: Running = {
    pid: child.pid ?? -1,
    finished,
    output: () => both,
    line: (pattern, timeout) =>
      new Promise<string>((resolve, reject) => {
        const settle = (act: () => void) => {
          clearTimeout(timer);
          watchers.delete(look);
          act();
        };
        let timer: NodeJS.Timeout | undefined;
        const fail = (why: string) =>
          settle(() => reject(new Error(`${describe(command, args)} ${why} before it printed ${pattern}:\n${both}`)));
        const look = () => {
          const found = both.split("\n").find((line) => pattern.test(line));
          if (found !== undefined) settle(() => resolve(found));
        };
        if (timeout !== undefined) timer = setTimeout(() => fail(`ran ${timeout / 1000} s`), timeout);
        watchers.add(look);
        finished.then(
          () => fail("ended"),
          (error: unknown) => settle(() => reject(error)),
        );
        look();
      }),
    signal: (signal) => {
      if (isRunning(child)) child.kill(signal);
    },
    stop: async (signal = "SIGTERM", grace = 5_000) => {
      running.signal(signal);
      const timer = setTimeout(() => running.kill(), grace);
      try {
        return await finished;
      } finally {
        clearTimeout(timer);
      }
    },
    kill: () => {
      if (isRunning(child)) killTree(running.pid);
    },
  };
  live.add(running);
  const forget = () => live.delete(running);
  finished.then(forget, forget);
  return running;
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Kills a process and its descendants, also those in process groups of their own, such as Pulumi's plugins. */
export function killTree(pid: number): void {
  for (const each of [pid, ...descendants(pid)]) {
    try {
      process.kill(each, "SIGKILL");
    } catch {
      // It has ended already.
    }
  }
}

export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const [child, parent] of processes()) children.set(parent, [...(children.get(parent) ?? []), child]);
  const below = (parent: number): number[] => (children.get(parent) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

/** All processes with their parents; read from /proc on Linux, where small images have no `ps`. */
function processes(): [pid: number, parent: number][] {
  if (process.platform !== "linux") {
    const table = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
    return table.split("\n").map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  }
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      // "pid (name) state parent …": the name may contain anything.
      return [[Number(pid), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])] as [number, number]];
    } catch {
      return []; // has ended
    }
  });
}

/**
 * The npm that runs this script. npm forwards no signal through its shell, which even survives when npm is killed: so the
 * npm scripts pass the shell's parent as `--pid=$PPID`, which is taken off the command line here.
 */
const npm = takePid();

function takePid(): number | undefined {
  const index = process.argv.findIndex((argument) => argument.startsWith("--pid="));
  if (index < 0) return undefined;
  const [pid = ""] = process.argv.splice(index, 1);
  // Not a number where the shell does not know $PPID (Windows).
  return Number(pid.slice("--pid=".length)) || undefined;
}

/** Makes SIGINT, SIGTERM, SIGHUP and the end of npm end this process together with everything that it started. */
export function endTogether(cleanUp: () => void | Promise<void> = () => {}): void {
  const end = async (exitCode: number) => {
    if (ending) return;
    ending = true;
    for (const each of live) each.kill();
    try {
      await cleanUp();
    } finally {
      process.exit(exitCode);
    }
  };
  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.on(signal, () => void end(exitCode));
  }
  if (npm !== undefined) whenEnded(npm, () => void end(143));
}

/** Calls `act` once when a process has ended, for whatever reason. */
function whenEnded(pid: number, act: () => void): void {
  const timer = setInterval(() => {
    try {
      process.kill(pid, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") return; // another user's process
      clearInterval(timer);
      act();
    }
  }, 200).unref();
}

process.once("exit", () => {
  for (const each of live) each.kill();
});

function describe(command: string, args: readonly string[]): string {
  return [command, ...args].join(" ");
}
