/** Runs the real Azure CLI. */

import { run } from "../../scripts/process";
import type { EmulatorControl } from "../support/emulator";
import { until } from "../support/until";
import { clientPath } from "./clients";

export interface AzureCliResult {
  readonly exitCode: number | null;
  readonly seconds: number;
  readonly stdout: string;
  /** What it printed on stderr, on one line. */
  readonly message: string;
}

/** The real Azure CLI with the default identity of the emulator. */
export class AzureCli {
  constructor(private readonly env: NodeJS.ProcessEnv) {}

  async run(...args: string[]): Promise<AzureCliResult> {
    const began = performance.now();
    const { exitCode, stdout, stderr } = await run(
      clientPath("CONFORMANCE_AZURE_CLI"),
      ["-I", "-m", "azure.cli", ...args],
      {
        env: this.env,
      },
    );
    const seconds = (performance.now() - began) / 1000;
    return { exitCode, seconds, stdout, message: stderr.trim().replace(/\s+/g, " ") };
  }

  logIn(): Promise<AzureCliResult> {
    const { ARM_CLIENT_ID = "", ARM_CLIENT_SECRET = "", ARM_TENANT_ID = "" } = this.env;
    const identity = ["--username", ARM_CLIENT_ID, "--password", ARM_CLIENT_SECRET, "--tenant", ARM_TENANT_ID];
    return this.run("login", "--service-principal", ...identity);
  }
}

/** Waits until no import is running, after `az acr import --no-wait`. */
export function importsToEnd(control: EmulatorControl): Promise<void> {
  return until(async () => {
    const operations = await control.call<{ state: string }[]>("GET", "/operations");
    return operations.every(({ state }) => state !== "pending");
  });
}
