/** Finds the process in which a running command of the CLI runs the provider. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { descendants, type Running } from "../../scripts/process";

/** The plugin process of a running command, once it has started. */
export function pluginOf({ pid }: Running): number | undefined {
  return descendants(pid).find((child) => /node .*dynamic-provider/.test(commandOf(child)));
}

/** Empty when the process has ended meanwhile. */
function commandOf(pid: number): string {
  try {
    return process.platform === "linux"
      ? readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      : execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });
  } catch {
    return "";
  }
}
