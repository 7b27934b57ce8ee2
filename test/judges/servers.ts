import { environment } from "../../scripts/environment";
import { start } from "../../scripts/process";
import type { TestEmulator } from "../support/emulator";
import { startRegistry } from "../support/registry";
import { startTokenService } from "../support/token-service";
import { judge } from "./judges";

/** Host names of the real registries that want an account. */
export const privateHosts = { basic: "registry.example.com", token: "registry.token.example.com" };
/** Host name of `crane registry serve`, which wants none. */
export const openHost = "crane.example.com";

/** Starts real registries and gives them public-looking names in the box; returns what ends them. */
export async function startRealRegistries({ control }: TestEmulator, folder: string): Promise<() => Promise<void>> {
  const tokens = await startTokenService(privateHosts.token);
  const realm = "https://auth.token.example.com/token";
  const [basic, token] = [
    await startRegistry(judge("JUDGE_REGISTRY"), { auth: "basic" }),
    await startRegistry(judge("JUDGE_REGISTRY"), { auth: { ...tokens, realm } }),
  ];
  const open = start(judge("JUDGE_CRANE"), ["registry", "serve", "--address", "127.0.0.1:0"], {
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
