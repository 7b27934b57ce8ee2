/** Where the installed clients and registries are, as `main.ts` passes it on. */

/** The path of a client or registry, from the variable that `main.ts` sets. */
export function clientPath(
  name:
    | "CONFORMANCE_AZURE_CLI"
    | "CONFORMANCE_AZURE_SDK"
    | "CONFORMANCE_SKOPEO"
    | "CONFORMANCE_CRANE"
    | "CONFORMANCE_ORAS"
    | "CONFORMANCE_REGCTL"
    | "CONFORMANCE_COSIGN"
    | "CONFORMANCE_REGISTRY",
): string {
  const path = process.env[name];
  if (path === undefined) throw new Error(`${name} is not set: run these tests with \`npm run conformance\``);
  return path;
}
