/** The command line: starts the emulator and prints where it is, or runs a command inside it. */
import { commandEnvironment } from "./command/environment";
import { runCommand } from "./command/run-command";
import { loadSetup } from "./command/setup";
import { SignalForwarder, stopSignals } from "./command/signal-forwarder";
import { whenStarterEnds } from "./command/when-starter-ends";
import { startEmulator } from "./emulator";

const usage = `Usage: acr-emulator [--pid=PID] [--] [COMMAND [ARGUMENT…]]

Without a command, starts the emulator and prints one line of JSON: proxy, ca, control and env.
With a command, runs it inside the emulator and ends with its exit code.

  --pid=PID   ends when that process does, as "tail --pid" does; in an npm script $PPID is npm
  --help      prints this text
`;

interface Arguments {
  readonly isHelp: boolean;
  readonly pid: number | undefined;
  readonly command: readonly string[];
}

function parseArguments(args: readonly string[]): Arguments {
  const firstOperand = args.findIndex((argument) => argument === "--" || !argument.startsWith("-"));
  const [options, rest] = firstOperand < 0 ? [args, []] : [args.slice(0, firstOperand), args.slice(firstOperand)];
  const unknown = options.find((option) => option !== "--help" && !option.startsWith("--pid="));
  if (unknown !== undefined) throw new Error(`unknown option ${unknown}\n\n${usage}`);
  const pid = options.find((option) => option.startsWith("--pid="))?.slice("--pid=".length) ?? "";
  return {
    isHelp: options.includes("--help"),
    // Not a number where the shell of npm scripts does not know $PPID (Windows).
    pid: /^\d+$/.test(pid) ? Number(pid) : undefined,
    command: rest[0] === "--" ? rest.slice(1) : rest,
  };
}

/** Runs the emulator until a signal, or the end of its starter, stops it. */
async function serve(pid: number | undefined): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of stopSignals) process.on(signal, () => resolve());
    whenStarterEnds(pid, resolve);
  });
  const emulator = await startEmulator();
  const { proxy, ca, control, env } = emulator;
  process.stdout.write(`${JSON.stringify({ proxy, ca, control, env })}\n`);
  await stopped;
  await emulator.close();
  return 0;
}

/** Runs a command inside the emulator; resolves to its exit code. */
async function serveCommand(command: readonly string[], pid: number | undefined): Promise<number> {
  // The setup can take minutes, and there is nothing to clean up before it has ended.
  const stopWatching = whenStarterEnds(pid, () => process.exit(143));
  const variables = await loadSetup(process.cwd());
  stopWatching();
  const signals = new SignalForwarder(pid);
  const emulator = await startEmulator();
  try {
    const env = { ...commandEnvironment(process.env, emulator.env), ...variables };
    // npm runs scripts in the package's folder, and passes the caller's in this variable.
    const folder = process.env.INIT_CWD ?? process.cwd();
    return await runCommand(command, { folder, env, signals });
  } finally {
    await emulator.close();
  }
}

async function main(): Promise<number> {
  const { isHelp, pid, command } = parseArguments(process.argv.slice(2));
  if (isHelp) {
    process.stdout.write(usage);
    return 0;
  }
  return command.length > 0 ? serveCommand(command, pid) : serve(pid);
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    process.stderr.write(`acr-emulator: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
