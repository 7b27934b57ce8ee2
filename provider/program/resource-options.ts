/** Rejects resource options that would be ignored, or would fail later without a useful message. */
import { createRequire } from "node:module";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";

const PACKAGE = "pulumi-acr-import";
/** Dynamic resources belong to this package of the engine. */
const DYNAMIC = "pulumi-nodejs";
const AZURE_NATIVE_TYPE = "azure-native:containerregistry:Registry";

/**
 * Checks the options of a resource.
 *
 * @throws pulumi.RunError with what to do instead; the engine shows it without a stack trace.
 */
export function checkOptions(type: string, name: string, opts: pulumi.CustomResourceOptions): void {
  if (opts.import !== undefined) {
    throw refusal(name, "import is not supported", "Remove the option: create adopts an image that the target holds");
  }
  const package_ = packageOf(opts.provider);
  if (package_ !== undefined && package_ !== DYNAMIC) {
    throw refusal(
      name,
      `provider is a provider of ${package_}, which does not know this resource`,
      `Remove the option to use the identity of the stack, or pass a Provider of ${PACKAGE} for another identity`,
    );
  }
  const { parent } = opts;
  const isIgnored = parent?.getProvider(AZURE_NATIVE_TYPE) !== undefined && parent.getProvider(type) === undefined;
  if (opts.provider === undefined && isIgnored && !warned.has(parent)) {
    warned.add(parent);
    void pulumi.log.warn(
      `${name}: the azure-native provider of its parent does not apply to this resource, which uses the identity of the stack. ` +
        `Hint: Pass a Provider of ${PACKAGE} as provider of the resource for another identity`,
      parent,
    );
  }
  checkInstallation(name);
}

function packageOf(provider: pulumi.ProviderResource | undefined): string | undefined {
  // Internal in the SDK's types, and the only place that tells the package before the provider is registered.
  return (provider as { getPackage?: () => string } | undefined)?.getPackage?.();
}

/** One warning per parent. */
const warned = new WeakSet<pulumi.Resource>();

/** The folder of the program, before the program changes it. */
const folder = process.cwd();
let isInstalled: boolean | undefined;

/**
 * The plugin process loads the package from the folder of the program. In a workspace that isolates packages, as pnpm does, a
 * dependency of a dependency is not found there.
 */
function checkInstallation(name: string): void {
  // An inline program of the Automation API does not run in the folder of its plugin process.
  if (!pulumi.runtime.hasEngine()) return;
  isInstalled ??= canResolve(`${PACKAGE}/provider`);
  if (isInstalled) return;
  throw refusal(
    name,
    `${PACKAGE} is not installed in ${path.basename(folder)}, the folder of the Pulumi program`,
    `Add it to the dependencies of the program as well: npm install ${PACKAGE}`,
  );
}

function canResolve(module: string): boolean {
  try {
    // Not require.resolve with a path, which finds this package by its own name from anywhere.
    createRequire(path.join(folder, "index.js")).resolve(module);
    return true;
  } catch {
    return false;
  }
}

function refusal(name: string, reason: string, hint: string): pulumi.RunError {
  return new pulumi.RunError(`${name}: ${reason}\n  Hint: ${hint}`);
}
