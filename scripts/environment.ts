/** The environment of child processes. */
import path from "node:path";

/** A complete environment that takes from the machine only Node.js and the system's commands; `variables` are added. */
export function environment(home: string, variables: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    PATH: [path.dirname(process.execPath), "/usr/bin", "/bin"].join(path.delimiter),
    LANG: "C.UTF-8",
    HOME: home,
    // Temporary files of a killed process are removed together with its home.
    TMPDIR: home,
    ...variables,
  };
}
