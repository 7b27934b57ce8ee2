/** The emulator for code that runs in the test process. */
import { readFileSync } from "node:fs";
import { Azure } from "../../../provider/azure/azure";
import { azureSettings } from "../../../provider/azure/settings";
import { startTestEmulator, type TestEmulator } from "../../support/emulator";
import { trust } from "../../support/trust";

/** An emulator that this process uses through its proxy. */
export interface InProcessEmulator extends TestEmulator {
  /** Azure with these variables besides those of the emulator. */
  azure(env?: NodeJS.ProcessEnv): Azure;
}

/** Starts the emulator and makes this process use its proxy, certificate authority and identity. */
export async function startInProcessEmulator(): Promise<InProcessEmulator> {
  const emulator = await startTestEmulator();
  Object.assign(process.env, emulator.env);
  trust(readFileSync(emulator.server.ca, "utf8"));
  return {
    ...emulator,
    azure: (env = {}) => new Azure(azureSettings(() => undefined, { ...emulator.env, ...env })),
  };
}
