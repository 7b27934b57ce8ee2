/** The setup of a project: a module that prepares the machine for commands that run inside the emulator. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Environment } from "./environment";

/** What the module exports by default; the variables that it returns are added to the command's environment. */
export type Setup = () => Promise<Environment>;

/** Runs the module that `"acr-emulator": { "setup": FILE }` names in the nearest package.json that has such a member. */
export async function loadSetup(folder: string): Promise<Environment> {
  const file = path.join(folder, "package.json");
  const setup = existsSync(file) ? JSON.parse(readFileSync(file, "utf8"))["acr-emulator"]?.setup : undefined;
  if (setup !== undefined) {
    const module: { default: Setup } = require(path.resolve(folder, setup));
    return module.default();
  }
  const parent = path.dirname(folder);
  return parent === folder ? {} : loadSetup(parent);
}
