/**
 * Keeps one resource from removing targets that another resource of the same program declares.
 *
 * A rename without an alias creates the new resource first, which adopts the tags, and deletes the old one afterwards: the
 * delete must leave what was just adopted. Both run in one plugin process, and `check` sees every resource of the program
 * before any is deleted, so a target that `check` has seen is never removed. That also holds for a later run when the first
 * one died in between. A destroy does not run the program: nothing is declared, and all targets may be removed.
 *
 * A target that one update drops may be declared by a resource that is checked later. If its removal has begun by then,
 * the other resource waits until it ends, and imports the target again.
 */
import { type Inputs, targetNames } from "../resource/state";
import { hasUnknown } from "../resource/unknown";

const declared = new Set<string>();
let hasUnknownTargets = false;

/** Registers the targets that a resource of the program declares. */
export function declareTargets({ loginServer, ...inputs }: Inputs): void {
  const names = targetNames(inputs);
  if (hasUnknown([loginServer, names])) hasUnknownTargets = true;
  else for (const name of names) declared.add(`${loginServer}/${name}`);
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
