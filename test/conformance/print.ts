/** Prints commands and errors for the tables: without secrets, shortened, and without random parts. */
import type { ImageArguments } from "../engine/programs";

/** A command line of the Azure CLI. */
export function printCommand(args: readonly string[]): string {
  return `az ${args.map((arg, index) => (args[index - 1] === "--password" ? "…" : shorten(arg))).join(" ")}`;
}

/** Arguments as a program spells them. */
export function printArguments(args: ImageArguments): string {
  const text = JSON.stringify(args, (key, value) => (key === "password" ? "…" : value));
  return shorten(text.replace(/"(\w+)":/g, "$1: ").replace(/,(?=\w+: |")/g, ", "));
}

/** The error message of an import, which clients in Python repeat. */
export function printError(message: string): string {
  const [once = ""] = shorten(message).split(/\s+Code: /);
  return once.replace(/registries-[0-9a-f-]{36}/, "registries-…").trim();
}

export function shorten(text: string): string {
  return text
    .replace(/(sha256:[0-9a-f]{6})[0-9a-f]{58}/g, "$1…")
    .replace(/\/subscriptions\/[^\s"]*\/registries\//g, "/subscriptions/…/registries/");
}
