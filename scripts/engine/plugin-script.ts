import path from "node:path";

/** The script that starts dynamic providers. It comes with the SDK, and the engine wants it beside its binary. */
export function pluginScript(): string {
  return path.join(path.dirname(require.resolve("@pulumi/pulumi/package.json")), "pulumi-resource-pulumi-nodejs");
}
