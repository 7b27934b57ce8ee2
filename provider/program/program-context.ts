/** What the program passes to `check` beside the arguments: URN, preview, timeouts, and the resolved digest. */
import * as pulumi from "@pulumi/pulumi";
import { isObject } from "../json";
import { parseArguments } from "../resource/arguments";
import { sourceKey } from "../resource/source";
import type { Lookup } from "../resource/state";
import { UNKNOWN } from "../resource/unknown";
import { lookUpReferrers } from "./look-up-referrers";
import { dependsOnRole } from "./role-assignment";
import { sharedResolver } from "./run";
import { startPlugin } from "./start-plugin";

/** The arguments of a resource, each a plain value or an input. */
interface ResourceArguments {
  readonly registry: pulumi.Input<string>;
  readonly source: pulumi.Input<unknown>;
}

/** Paths of `ignoreChanges` that keep the recorded source; new credentials leave it as it is. */
const KEEPS_SOURCE: ReadonlySet<string> = new Set(["*", "source", '["source"]', "source.image", "source.registry"]);

/**
 * Collects the context of a resource. Where the source is a plain value, it travels as one text: the SDK would walk nested
 * inputs one by one, each with promises of its own.
 */
export function programContext(
  type: string,
  name: string,
  args: ResourceArguments,
  opts: pulumi.CustomResourceOptions,
): pulumi.Input<unknown> {
  const urn = urnOf(type, name, opts.parent);
  const context = {
    preview: pulumi.runtime.isDryRun(),
    timeouts: opts.customTimeouts,
    keepsSource: [opts.ignoreChanges ?? []].flat().some((path) => KEEPS_SOURCE.has(path)),
  };
  if (resolvesInCheck(opts, type)) return { ...context, urn, needsRole: dependsOnRole(opts.dependsOn) };
  startPlugin();
  if (opts.dependsOn === undefined && isPlain(args.source)) {
    return Promise.all([urn, lookUpDigest(args)]).then(([urn, lookup]) => JSON.stringify({ ...context, urn, lookup }));
  }
  return { ...context, urn, needsRole: dependsOnRole(opts.dependsOn), lookup: lookUpKnownDigest(args, opts) };
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

/** Resolves the digest once the source is known. The digest of an image in a secret is not a secret. */
function lookUpKnownDigest(
  { source, ...others }: ResourceArguments,
  { dependsOn }: pulumi.CustomResourceOptions,
): pulumi.Output<Lookup | undefined> {
  return pulumi.unsecret(
    pulumi.all([{ source }, registrationOf(dependsOn)]).apply(([known]) => lookUpDigest({ ...others, ...known })),
  );
}

/**
 * Resolves the digest while the program runs. Only the source must be known, so that the program itself may create the target.
 * Invalid arguments cost no request; those that are not known yet are not validated here.
 */
async function lookUpDigest({ source, ...others }: ResourceArguments): Promise<Lookup | undefined> {
  const parsed = parseArguments({ ...withUnknowns(others), source });
  if ("problems" in parsed || parsed.source === undefined) return undefined;
  const withCredentials = parsed.source.credentials !== undefined;
  const resolver = sharedResolver();
  const result = await resolver.resolve(parsed.source);
  const referrers = await lookUpReferrers(parsed, result.digest, resolver);
  return { source: sourceKey(parsed.args), withCredentials, ...result, ...(referrers && { referrers }) };
}

/** The arguments, with {@link UNKNOWN} for what has to be awaited, and for a registry that only a transform may set. */
function withUnknowns({ registry, ...others }: Omit<ResourceArguments, "source">): {
  readonly [argument: string]: unknown;
} {
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
