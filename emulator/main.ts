import path from "node:path";
import { engineFolder } from "../scripts/engine/engine";
import { commandEnvironment } from "./command/environment";
import { runCommand, Signals, whenNpmIsGone } from "./command/run-command";
import { startEmulator } from "./emulator";

/** Says where everything is and runs until it is told to stop. */
async function serve(): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
    whenNpmIsGone(resolve);
  });
  const emulator = await startEmulator();
  const { proxy, ca, control, env } = emulator;
  process.stdout.write(`${JSON.stringify({ proxy, ca, control, env })}\n`);
  await stopped;
  await emulator.close();
  return 0;
}

/** Runs a command inside the box and ends with its exit code. */
async function serveCommand(command: readonly string[]): Promise<number> {
  // First, because it can take minutes and there is nothing to clean up yet.
  const stopWatching = whenNpmIsGone(() => process.exit(143));
  const engine = await engineFolder();
  stopWatching();
  const signals = new Signals();
  const emulator = await startEmulator();
  try {
    const env = commandEnvironment(process.env, emulator.env);
    env.PATH = [engine, env.PATH ?? ""].join(path.delimiter);
    // npm changes into the package's folder, and remembers the caller's here.
    const folder = process.env.INIT_CWD ?? process.cwd();
    return await runCommand(command, { folder, env, signals });
  } finally {
    await emulator.close();
  }
}

async function main(): Promise<void> {
  const command = process.argv.slice(2);
  process.exitCode = command.length > 0 ? await serveCommand(command) : await serve();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
