/**
 * Waits for a role assignment that the program creates before the image.
 *
 * Azure enforces a new assignment only after a while, up to ten minutes:
 * https://learn.microsoft.com/azure/role-based-access-control/troubleshooting#symptom---role-assignment-changes-are-not-being-detected
 * Nothing but the program tells an assignment that is not in effect yet from a missing one, so only a resource that depends
 * on a role assignment waits, and only while it is created. All others fail at once with the role that they need.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Code, failureOf } from "../failure/failure";
import { type ProgramContext, type TargetNames, targetsKey } from "../resource/state";
import { PartialFailure } from "./context";
import { inform } from "./progress";
import { forgetTokens } from "./target-registry";

/** How long a resource waits, in milliseconds. Most assignments take effect within a minute or two. */
const LIMIT_MS = 5 * 60_000;

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 15_000;

/** What a missing permission leads to. Azure grants no registry token to an identity without any role. */
const DENIALS: ReadonlySet<Code> = new Set([
  "AZURE_PERMISSION_DENIED",
  "TARGET_ACCESS_DENIED",
  "TARGET_CREDENTIALS_REJECTED",
]);

export interface RoleWait {
  /** The registry, whose resources wait for one assignment, and together no longer than one of them. */
  readonly registry: string;
  readonly urn: string | undefined;
  /** A further code that may mean that a permission is missing. */
  readonly orCode?: Code;
  /** Forgets what the denied run learned. */
  readonly beforeRetry: () => unknown;
  readonly signal?: AbortSignal;
}

/** When the first resource of a registry that was denied gives up, in milliseconds since the epoch. */
const deadlines = new Map<string, number>();

/** Runs `run` again while it is denied, within the limit. */
export async function untilRoleTakesEffect<T>(run: () => Promise<T>, wait: RoleWait): Promise<T> {
  const { registry, urn, orCode, beforeRetry, signal } = wait;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await run();
    } catch (error) {
      const code = failureOf(error instanceof PartialFailure ? error.reason : error)?.code;
      if (code === undefined || (!DENIALS.has(code) && code !== orCode)) throw error;
      const deadline = deadlines.get(registry) ?? Date.now() + LIMIT_MS;
      deadlines.set(registry, deadline);
      if (Date.now() + pause > deadline) throw error;
      if (pause === FIRST_PAUSE_MS) inform(urn, "waiting up to 5 min for the role assignment to take effect");
      await sleep(pause, undefined, signal && { signal }).catch(() => {});
      if (signal?.aborted) throw error;
      await beforeRetry();
    }
  }
}

const waiting = new Map<string, Pick<ProgramContext, "urn">>();

/** Remembers that the program creates a role assignment before the resource with these inputs. */
export function rememberRoleAssignment(inputs: TargetNames, { urn, needsRole }: ProgramContext): void {
  if (needsRole) waiting.set(targetsKey(inputs), urn === undefined ? {} : { urn });
}

/** The resource with these inputs, if it depends on a role assignment. */
function dependentOnRole(inputs: TargetNames): Pick<ProgramContext, "urn"> | undefined {
  return waiting.get(targetsKey(inputs));
}

/** Runs a create again while it is denied, if the program makes a role assignment before the resource with these inputs. */
export function whileRoleIsPending<T>(
  kind: "create" | "update",
  inputs: TargetNames,
  signal: AbortSignal,
  run: () => Promise<T>,
): Promise<T> {
  const dependent = kind === "create" ? dependentOnRole(inputs) : undefined;
  if (dependent === undefined) return run();
  const { loginServer } = inputs;
  const beforeRetry = () => forgetTokens(loginServer);
  return untilRoleTakesEffect(run, { registry: loginServer, urn: dependent.urn, beforeRetry, signal });
}
