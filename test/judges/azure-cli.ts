import { run } from "../../scripts/process";
import type { EmulatorControl } from "../support/emulator";
import { judge } from "./judges";

export interface AzureCliResult {
  readonly exitCode: number | null;
  readonly seconds: number;
  readonly stdout: string;
  /** What it said, on one line. */
  readonly message: string;
}

/** The real Azure CLI, as the default identity of the box. */
export class AzureCli {
  constructor(private readonly env: NodeJS.ProcessEnv) {}

  async run(...args: string[]): Promise<AzureCliResult> {
    const began = performance.now();
    const { exitCode, stdout, stderr } = await run(judge("JUDGE_AZURE_CLI"), ["-I", "-m", "azure.cli", ...args], {
      env: this.env,
      timeout: 240_000,
    });
    const seconds = (performance.now() - began) / 1000;
    return { exitCode, seconds, stdout, message: stderr.trim().replace(/\s+/g, " ") };
  }

  logIn(): Promise<AzureCliResult> {
    const { ARM_CLIENT_ID = "", ARM_CLIENT_SECRET = "", ARM_TENANT_ID = "" } = this.env;
    const identity = ["--username", ARM_CLIENT_ID, "--password", ARM_CLIENT_SECRET, "--tenant", ARM_TENANT_ID];
    return this.run("login", "--service-principal", ...identity);
  }
}

/** Waits until no import is under way, for a command that does not. */
export async function importsToEnd(control: EmulatorControl): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const operations = await control.call<{ state: string }[]>("GET", "/operations");
    if (operations.every(({ state }) => state !== "pending")) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("an import did not end within a minute");
}
