/** An emulator with the Azure side of the product inside it. */
import { readFileSync } from "node:fs";
import { Azure } from "../../../provider/azure/azure";
import { azureSettings } from "../../../provider/azure/settings";
import { startTestEmulator, type TestEmulator } from "../../support/emulator";
import { trust } from "../../support/trust";

/** The emulator, seen by a process that lives in its world. */
export interface Inside extends TestEmulator {
  /** Azure as a run with these variables beside the emulator's own sees it. */
  azure(env?: NodeJS.ProcessEnv): Azure;
}

/** The emulator, and this very process in its world: proxy, certificate authority and identity. */
export async function moveIn(): Promise<Inside> {
  const box = await startTestEmulator();
  Object.assign(process.env, box.env);
  trust(readFileSync(box.emulator.ca, "utf8"));
  return {
    ...box,
    azure: (env = {}) => new Azure(azureSettings(() => undefined, { ...box.env, ...env })),
  };
}
