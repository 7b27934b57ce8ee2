/**
 * Knows which resource of the program declares which target.
 *
 * **Removal.** A rename without an alias creates the new resource first, which adopts the tags, and deletes the old one
 * afterwards: the delete must leave what was just adopted. Both run in one plugin process, and `check` sees every resource of
 * the program before any is deleted, so a target that `check` has seen is never removed. That also holds for a later run when
 * the first one died in between. A destroy does not run the program: nothing is declared, and all targets may be removed.
 *
 * **Replacement.** The engine calls create without the state of the resource that it replaces. `check` received it before,
 * so create can still tell what the replaced resource imported.
 *
 * **Waiting.** A target that one update drops may be declared by a resource that is checked later. If its removal has begun
 * by then, the other resource waits until it ends, and imports the target again.
 */
import type { Digest } from "../reference/digest";
import { isTagged, parseTarget } from "../reference/target";
import { type Inputs, type OwnedDigest, type TargetNames, targetNames, targetsKey } from "../resource/state";
import { hasUnknown } from "../resource/unknown";

/** A resource that declares a target, and the digest that the target should hold. */
interface Declaration {
  readonly urn: string | undefined;
  readonly digest: Digest | undefined;
}

/** Two resources that declare one target with different digests. */
export interface Dispute {
  readonly target: string;
  readonly declarations: readonly [Declaration, Declaration];
}

const declared = new Map<string, Declaration>();
let hasUnknownTargets = false;

/** Registers the targets that a resource declares, and returns those that another resource declares differently. */
export function declareTargets(inputs: TargetNames & Pick<Inputs, "sourceDigest">, urn: string | undefined): Dispute[] {
  const { loginServer, sourceDigest: digest } = inputs;
  const names = targetNames(inputs);
  if (hasUnknown([loginServer, names])) {
    hasUnknownTargets = true;
    return [];
  }
  const declaration = { urn, digest: hasUnknown(digest) ? undefined : digest };
  const disputes: Dispute[] = [];
  for (const name of names) {
    const target = `${loginServer}/${name}`;
    const other = declared.get(target);
    // A repository takes any number of manifests without a tag.
    const isDisputed = isTagged(parseTarget(name)) && other !== undefined && differ(other, declaration);
    if (isDisputed) disputes.push({ target, declarations: [other, declaration] });
    else declared.set(target, declaration);
  }
  return disputes;
}

function differ(one: Declaration, other: Declaration): boolean {
  return one.urn !== other.urn && one.digest !== undefined && other.digest !== undefined && one.digest !== other.digest;
}

/** Whether a resource of the program declares the target, or may declare it because its targets are unknown. */
export function isDeclared(loginServer: string, name: string): boolean {
  return hasUnknownTargets || declared.has(`${loginServer}/${name}`);
}

const removals = new Map<string, Promise<unknown>>();

/** Runs a removal of targets, for which {@link pendingRemovals} waits. */
export async function whileRemoving<T>(
  loginServer: string,
  names: readonly string[],
  run: () => Promise<T>,
): Promise<T> {
  const running = run();
  const keys = names.map((name) => `${loginServer}/${name}`);
  for (const key of keys) removals.set(key, running);
  try {
    return await running;
  } finally {
    for (const key of keys) if (removals.get(key) === running) removals.delete(key);
  }
}

/** Waits until no removal of these targets is under way, however it ends. */
export async function pendingRemovals(loginServer: string, names: readonly string[]): Promise<void> {
  await Promise.allSettled(names.map((name) => removals.get(`${loginServer}/${name}`)));
}

const previous = new Map<string, OwnedDigest & { readonly urn: string | undefined }>();
const released = new Set<string>();

/** Remembers what a resource imported, in case the engine replaces it; forgets it when another resource has its targets. */
export function rememberPrevious(
  inputs: Inputs,
  { loginServer, sourceDigest, targets, lock, referrers }: Partial<Inputs>,
  urn?: string,
): void {
  const key = targetsKey(inputs);
  const known = previous.get(key);
  if (known?.urn !== undefined && urn !== undefined && known.urn !== urn) previous.delete(key);
  if (loginServer !== inputs.loginServer || sourceDigest === undefined || targets === undefined) return;
  const more = { ...(lock !== undefined && { lock }), ...(referrers !== undefined && { referrers }) };
  previous.set(key, { sourceDigest, targets, urn, ...more });
}

/**
 * Lets go of the targets of a resource that is replaced because its registry may be. If the registry is, its images go with
 * it; if something else made `registry` unknown, they must stay, and create adopts them again.
 */
export function releaseTargets(id: string): void {
  released.add(id);
}

/** Whether the delete of a resource must leave its targets alone. */
export function isReleased(id: string): boolean {
  return released.has(id);
}

/** What the resource that create replaces imported into the same registry, if it replaces one. */
export function previousOwner(inputs: Inputs): OwnedDigest | undefined {
  return previous.get(targetsKey(inputs));
}
