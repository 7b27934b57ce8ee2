import path from "node:path";

/** A whole environment for a child process: nothing of the machine but Node and the system's commands, and `variables`. */
export function environment(home: string, variables: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    PATH: [path.dirname(process.execPath), "/usr/bin", "/bin"].join(path.delimiter),
    LANG: "C.UTF-8",
    HOME: home,
    // What a killed process leaves goes with its home.
    TMPDIR: home,
    ...variables,
  };
}
