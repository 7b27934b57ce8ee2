import { readFileSync } from "node:fs";
import tls from "node:tls";
import { Azure } from "../../provider/azure/azure";
import { azureSettings } from "../../provider/azure/settings";
import { type Box, startBox } from "../support/emulator";

/** The emulator, and this very process in its world: proxy, certificate authority and identity. */
export async function moveIn(): Promise<Box & { azure(env?: NodeJS.ProcessEnv): Azure }> {
  const box = await startBox();
  Object.assign(process.env, box.env);
  trust(readFileSync(box.emulator.ca, "utf8"));
  return {
    ...box,
    azure: (env = {}) => new Azure(azureSettings(() => undefined, { ...box.env, ...env })),
  };
}

/** NODE_EXTRA_CA_CERTS is read when a process starts, which is too early for a test that makes its own authority. */
function trust(authority: string): void {
  const create = tls.createSecureContext;
  tls.createSecureContext = (options) => {
    const context = create(options);
    context.context.addCACert(authority);
    return context;
  };
}
