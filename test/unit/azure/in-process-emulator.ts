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
  const box = await startTestEmulator();
  Object.assign(process.env, box.env);
  trust(readFileSync(box.emulator.ca, "utf8"));
  return {
    ...box,
    azure: (env = {}) => new Azure(azureSettings(() => undefined, { ...box.env, ...env })),
  };
}
