/** Starts the real registries that some imports read from. */

import { environment } from "../../scripts/environment";
import { start } from "../../scripts/process";
import type { TestEmulator } from "../support/emulator";
import { startRegistry } from "../support/registry";
import { startTokenService } from "../support/token-service";
import { clientPath } from "./clients";

/** Host names of the real registries that need an account. */
export const privateHosts = { basic: "registry.example.com", token: "registry.token.example.com" };
/** Host name of `crane registry serve`, which is public. */
export const openHost = "crane.example.com";

/** Starts real registries under public host names in the emulator; returns a function that stops them. */
export async function startRealRegistries({ control }: TestEmulator, folder: string): Promise<() => Promise<void>> {
  const tokens = await startTokenService(privateHosts.token);
  const realm = "https://auth.token.example.com/token";
  const [basic, token] = [
    await startRegistry(clientPath("CONFORMANCE_REGISTRY"), { auth: "basic" }),
    await startRegistry(clientPath("CONFORMANCE_REGISTRY"), { auth: { ...tokens, realm } }),
  ];
  const open = start(clientPath("CONFORMANCE_CRANE"), ["registry", "serve", "--address", "127.0.0.1:0"], {
    env: environment(folder),
  });
  const [port] = (await open.line(/serving on port \d+/)).match(/\d+$/) ?? [];
  await control.hosts({
    [privateHosts.basic]: basic.url,
    [privateHosts.token]: token.url,
    [new URL(realm).host]: tokens.url,
    [openHost]: `http://127.0.0.1:${port}`,
  });
  return async () => {
    tokens.close();
    await Promise.all([basic.stop(), token.stop(), open.stop()]);
  };
}
