/**
 * What the resources of this run want to keep, and what is on its way out.
 *
 * A rename without alias creates the new resource first, which adopts the tags, and deletes the old one afterwards: the
 * delete must leave what was just adopted. Both happen in one plugin process, and `check` sees every resource of the
 * program before any is deleted; so what `check` saw is never released. That holds also for a later run, when the
 * first one died between the two. A destroy does not run the program, so nothing is claimed and everything may go.
 *
 * A tag that an update drops may be wanted by a resource that is checked only later. If its release has begun by then,
 * the other resource waits for the end of it, and imports the tag again.
 */
import { type Inputs, targetNames } from "../resource/state";
import { hasUnknown } from "../resource/unknown";

const declared = new Set<string>();
let incomplete = false;

/** Notes that a resource of the program wants these targets. */
export function declareTargets({ loginServer, ...inputs }: Inputs): void {
  const names = targetNames(inputs);
  if (hasUnknown([loginServer, names])) incomplete = true;
  else for (const name of names) declared.add(`${loginServer}/${name}`);
}

/** Whether a resource of the program wants the target, or may want it for all that is known. */
export function isDeclared(loginServer: string, target: string): boolean {
  return incomplete || declared.has(`${loginServer}/${target}`);
}

const removals = new Map<string, Promise<unknown>>();

/** Runs the release of targets, for which {@link pendingRemovals} waits. */
export async function whileRemoving<T>(
  loginServer: string,
  targets: readonly string[],
  run: () => Promise<T>,
): Promise<T> {
  const running = run();
  const keys = targets.map((target) => `${loginServer}/${target}`);
  for (const key of keys) removals.set(key, running);
  try {
    return await running;
  } finally {
    for (const key of keys) if (removals.get(key) === running) removals.delete(key);
  }
}

/** Waits until no release of these targets is under way; how it ended is another resource's concern. */
export async function pendingRemovals(loginServer: string, targets: readonly string[]): Promise<void> {
  await Promise.allSettled(targets.map((target) => removals.get(`${loginServer}/${target}`)));
}
