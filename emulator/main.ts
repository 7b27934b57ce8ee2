import { startEmulator } from "./emulator";
import { runInside } from "./run-command";

/** Without a command: says where everything is and runs until it is told to stop. */
async function serve(): Promise<number> {
  const stop = new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, resolve);
  });
  const emulator = await startEmulator();
  const { proxy, ca, control, env } = emulator;
  process.stdout.write(`${JSON.stringify({ proxy, ca, control, env })}\n`);
  await stop;
  await emulator.close();
  return 0;
}

async function runCommand(command: readonly string[]): Promise<number> {
  // npm changes into the package's folder, and remembers the caller's here.
  const folder = process.env.INIT_CWD ?? process.cwd();
  const emulator = await startEmulator();
  try {
    return await runInside(emulator, folder, command);
  } finally {
    await emulator.close();
  }
}

async function main(): Promise<void> {
  const command = process.argv.slice(2);
  process.exitCode = command.length > 0 ? await runCommand(command) : await serve();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
