/**
 * What the resources of this run want to keep.
 *
 * A rename without alias creates the new resource first, which adopts the tags, and deletes the old one afterwards: the
 * delete must leave what was just adopted. Both happen in one plugin process, and `check` sees every resource of the
 * program before anything is deleted; so what `check` saw is never released. That holds also for a later run, when the
 * first one died between the two. A destroy does not run the program, so nothing is claimed and everything may go.
 */
import { type Inputs, targetNames } from "./record";
import { hasUnknown } from "./unknown";

const claimed = new Set<string>();
let incomplete = false;

/** Notes that a resource of the program wants these targets. */
export function claim({ loginServer, ...inputs }: Inputs): void {
  const names = targetNames(inputs);
  if (hasUnknown([loginServer, names])) incomplete = true;
  else for (const name of names) claimed.add(`${loginServer}/${name}`);
}

/** Whether a resource of the program wants the target, or may want it for all that is known. */
export function isClaimed(loginServer: string, target: string): boolean {
  return incomplete || claimed.has(`${loginServer}/${target}`);
}
