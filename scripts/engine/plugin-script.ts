/** The script that starts dynamic providers. */
import path from "node:path";

/** The script comes with the SDK; the engine expects a copy beside its binary. */
export function pluginScript(): string {
  return path.join(path.dirname(require.resolve("@pulumi/pulumi/package.json")), "pulumi-resource-pulumi-nodejs");
}
