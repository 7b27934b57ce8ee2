/** What the program passes to `check` beside the arguments: URN, preview, timeouts, and what it found at the source. */
import * as pulumi from "@pulumi/pulumi";
import { isObject } from "../json";
import { UNKNOWN } from "../resource/unknown";
import type { DigestResolver } from "../source/resolve-digest";
import { dependsOnRole } from "./role-assignment";
import { sharedResolver } from "./run";
import { startPlugin } from "./start-plugin";

/** The arguments of a resource, each a plain value or an input. */
type ResourceArguments = { readonly [argument in string]?: pulumi.Input<unknown> };

/**
 * Reads what a resource needs of its source while the program runs. Only some arguments must be known, so that the program itself
 * may create the target. Invalid arguments cost no request; those that are not known yet are not validated here.
 */
export interface LookUp {
  /** The names of the arguments that must be known. */
  readonly needs: readonly string[];
  run(args: { readonly [argument: string]: unknown }, resolver: DigestResolver): Promise<object | undefined>;
}

/** Paths of `ignoreChanges` that keep the recorded source; new credentials leave it as it is. */
const KEEPS_SOURCE: ReadonlySet<string> = new Set(["*", "source", '["source"]', "source.image", "source.registry"]);

/**
 * Collects the context of a resource. Where what is looked up is plain, it travels as one text: the SDK would walk nested
 * inputs one by one, each with promises of its own.
 */
export function programContext(
  type: string,
  name: string,
  args: ResourceArguments,
  opts: pulumi.CustomResourceOptions,
  lookUp: LookUp,
): pulumi.Input<unknown> {
  const urn = urnOf(type, name, opts.parent);
  const context = {
    preview: pulumi.runtime.isDryRun(),
    timeouts: opts.customTimeouts,
    keepsSource: [opts.ignoreChanges ?? []].flat().some((path) => KEEPS_SOURCE.has(path)),
  };
  if (resolvesInCheck(opts, type)) return { ...context, urn, needsRole: dependsOnRole(opts.dependsOn) };
  startPlugin();
  const [needed, others] = partition(args, lookUp.needs);
  if (opts.dependsOn === undefined && isPlain(needed)) {
    const found = lookUp.run({ ...withUnknowns(others), ...needed }, sharedResolver());
    return Promise.all([urn, found]).then(([urn, lookup]) => JSON.stringify({ ...context, urn, lookup }));
  }
  const lookup = pulumi
    .all([needed, registrationOf(opts.dependsOn)])
    .apply(([known]) => lookUp.run({ ...withUnknowns(others), ...known }, sharedResolver()));
  // What is found about a source in a secret is not a secret.
  return { ...context, urn, needsRole: dependsOnRole(opts.dependsOn), lookup: pulumi.unsecret(lookup) };
}

/** The arguments with these names, and the others. */
function partition(args: ResourceArguments, names: readonly string[]): [ResourceArguments, ResourceArguments] {
  const entries = Object.entries(args);
  const pick = (isNamed: boolean) => Object.fromEntries(entries.filter(([name]) => names.includes(name) === isNamed));
  return [pick(true), pick(false)];
}

/** `ImportedImage.get` reads the target; only the plugin process has the identity of an explicit provider. */
function resolvesInCheck({ id, provider, parent }: pulumi.CustomResourceOptions, type: string): boolean {
  return id !== undefined || provider !== undefined || parent?.getProvider(type) !== undefined;
}

/**
 * The URN that the resource will have, without a dependency on its parent: depending on a component means depending on all
 * its children, and two images in one component would wait for each other for ever.
 */
function urnOf(type: string, name: string, parent: pulumi.Resource | undefined): Promise<string> {
  return new Promise((resolve) => pulumi.createUrn(name, type, parent).apply(resolve));
}

/** The arguments, with {@link UNKNOWN} for what has to be awaited, and for a registry that only a transform may set. */
function withUnknowns({ registry, ...others }: ResourceArguments): { readonly [argument: string]: unknown } {
  const marked = Object.entries(others).map(([name, value]) => [name, isPlain(value) ? value : UNKNOWN]);
  return { registry: isPlain(registry) ? (registry ?? UNKNOWN) : UNKNOWN, ...Object.fromEntries(marked) };
}

function isPlain(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return false;
  return !isLiteral(value) || Object.values(value).every(isPlain);
}

/** Not a resource, say, which somebody passes instead of its ID. */
function isLiteral(value: unknown): value is object {
  return Array.isArray(value) || (isObject(value) && Object.getPrototypeOf(value) === Object.prototype);
}

/** Waits until the dependencies are registered: one of them may push the source image. */
function registrationOf(dependsOn: pulumi.CustomResourceOptions["dependsOn"]): pulumi.Output<unknown> {
  return pulumi.output(dependsOn ?? []).apply((resources) => [resources].flat().map(({ urn }: pulumi.Resource) => urn));
}
