/** The setup of acr-emulator in this checkout: puts the Pulumi engine first on PATH. */
import path from "node:path";
import { engineFolder } from "./engine";

export default async function setup(): Promise<{ PATH: string }> {
  return { PATH: [await engineFolder(), process.env.PATH ?? ""].join(path.delimiter) };
}
