/** A fake Azure CLI for runs that sign in with it. */
import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

/** A fake `az` that is logged in as an identity of the emulator and supports one command. */
export interface AzureCli {
  /** The folder to put on PATH. */
  readonly folder: string;
  /** Returns the commands since the last call. */
  takeCalls(): Promise<string[]>;
}

/**
 * Writes a script called `az` into a folder. It prints the documented output of `az account get-access-token`, with a token
 * of the emulator, and records every call.
 */
export async function installAzureCli(folder: string, clientId: string): Promise<AzureCli> {
  const log = path.join(folder, "calls");
  const script = `#!/usr/bin/env node
const { appendFileSync } = require("node:fs");
const args = process.argv.slice(2);
appendFileSync(${JSON.stringify(log)}, args.join(" ") + "\\n");
async function main() {
  const audience = args[args.indexOf("--resource") + 1];
  if (args.slice(0, 2).join(" ") !== "account get-access-token" || !audience) throw new Error("unknown command");
  const body = JSON.stringify({ clientId: ${JSON.stringify(clientId)}, audience: audience.replace(/\\/.default$/, "") });
  const response = await fetch(new URL("/token", process.env.EMULATOR_CONTROL), { method: "POST", body });
  const { token } = await response.json();
  const expires = new Date(Date.now() + 3_600_000);
  console.log(JSON.stringify({
    accessToken: token,
    expiresOn: expires.toISOString().replace("T", " ").replace("Z", "000"),
    expires_on: Math.floor(expires.getTime() / 1000),
    tokenType: "Bearer",
  }));
}
main().catch((error) => { console.error("ERROR: " + error.message); process.exitCode = 1; });
`;
  const file = path.join(folder, "az");
  await writeFile(file, script);
  await chmod(file, 0o755);
  await writeFile(log, "");
  return {
    folder,
    async takeCalls() {
      const calls = (await readFile(log, "utf8")).trim();
      await writeFile(log, "");
      return calls === "" ? [] : calls.split("\n");
    },
  };
}
