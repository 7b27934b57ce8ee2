/** Failures of the target: what its tags hold, compared with what they should hold. */
import { type Failure, withDetail } from "./failure";
import type { RegistryAction } from "./roles";

/** A tag, or a repository with an untagged manifest, and the digest that it was found to hold. */
interface Found {
  readonly target: string;
  readonly holds: string | undefined;
}

export const targetFailure = {
  /** @param untouched - Nothing has been imported yet. */
  conflict: (
    loginServer: string,
    found: readonly Found[],
    digest: string | undefined,
    untouched: boolean,
  ): Failure => ({
    code: "TARGET_CONFLICT",
    side: "target",
    ...comparison(
      loginServer,
      found,
      `which ${found.length > 1 ? "were" : "was"} not created by this resource`,
      digest,
    ),
    hints: [
      `${untouched ? "Nothing was changed. " : ""}Set onConflict: "overwrite" to replace it, or choose another tag`,
      "If the resource was renamed, add an alias: it keeps the record. If it is being replaced by --replace or taint, run pulumi up without that first",
    ],
  }),
  /** Azure refuses the import because the tag exists; what the tag holds is not known. */
  tagExists: (target: string): Failure => ({
    code: "TARGET_CONFLICT",
    side: "target",
    object: target,
    reason: "already exists",
    hints: ['Set onConflict: "overwrite" to take it over, or choose another tag'],
  }),
  /** Two resources of one program want a tag to hold different digests. */
  declaredTwice: (
    target: string,
    resources: readonly { readonly name: string; readonly digest: string }[],
  ): Failure => ({
    code: "TARGET_DECLARED_TWICE",
    side: "target",
    object: target,
    reason: `is declared by two resources with different digests: ${resources
      .map(({ name, digest }) => `${name} (${digest})`)
      .join(" and ")}`,
    hints: ["Give one of them another tag"],
  }),
  unreadable: (loginServer: string, targets: readonly string[]): Failure => ({
    code: "TARGET_UNREADABLE",
    side: "target",
    object: targets.map((target) => `${loginServer}/${target}`).join(" or "),
    reason: "already exists and cannot be compared: the registry cannot be read from this machine",
    hints: ['Set onConflict: "overwrite" to take it over, or run where the registry can be read'],
  }),
  notVerified: (loginServer: string, found: readonly Found[], digest: string | undefined): Failure => ({
    code: "TARGET_NOT_VERIFIED",
    side: "target",
    ...comparison(loginServer, found, "although Azure reported success", digest),
    hints: ["Run the command again: it reads the registry again and imports what is missing"],
  }),
  unreachable: (loginServer: string): Failure => ({
    code: "TARGET_UNREACHABLE",
    side: "target",
    object: loginServer,
    reason: "cannot be read from this machine",
    hints: ["Run where the registry can be read"],
  }),
  digestUnknown: (loginServer: string): Failure => ({
    code: "TARGET_NOT_VERIFIED",
    side: "target",
    object: loginServer,
    reason: 'cannot be read from this machine, so the digest cannot be determined (source.digestFrom is "target")',
    hints: ["Pin the digest (repo@sha256:…), or run where the source or the target can be read"],
  }),
  notRemovable: (loginServer: string, targets: readonly string[]): Failure => ({
    code: "TARGET_UNREACHABLE",
    side: "target",
    object: loginServer,
    reason: `cannot be read from this machine, so it is unknown whether ${targets.join(", ")} can be removed`,
    hints: ['Run where the registry can be read, or set onDelete: "retain" and run pulumi up first'],
  }),
  /** @param action - What the lock of the program asks for. */
  notLockable: (loginServer: string, targets: readonly string[], action: "lock" | "unlock"): Failure => ({
    code: "TARGET_UNREACHABLE",
    side: "target",
    object: loginServer,
    reason: `cannot be reached from this machine, so this run cannot ${action} ${targets.join(", ")}`,
    hints: [
      action === "lock"
        ? "Run where the registry can be reached, or remove lock. What was imported is recorded"
        : "Run where the registry can be reached",
    ],
  }),
  lockNotVerified: (reference: string, action: "lock" | "unlock"): Failure => ({
    code: "TARGET_NOT_VERIFIED",
    side: "target",
    object: reference,
    reason: `is ${action === "lock" ? "not" : "still"} locked, although the registry reported success`,
    hints: [`Run the command again: it tries again to ${action} it`],
  }),
  locked: (reference: string, action: RegistryAction, message?: string): Failure => ({
    code: "TARGET_LOCKED",
    side: "target",
    object: reference,
    reason: `is locked, so this run cannot ${action} it`,
    hints: [
      "Unlock it (az acr repository update --write-enabled true --delete-enabled true), then run the command again",
    ],
    ...withDetail(message),
  }),
  /** The service says neither which of several targets is locked, nor whether the tag or its whole repository is. */
  lockedForImport: (targets: readonly string[], registry: string): Failure => {
    const [only = "", ...others] = targets;
    const name = others.length === 0 ? only.slice(only.indexOf("/") + 1) : "<repository>:<tag>";
    const option = name.includes(":") ? `--image ${name}` : `--repository ${name}`;
    return {
      code: "TARGET_LOCKED",
      side: "target",
      object: others.length === 0 ? only : `one of ${targets.join(", ")}`,
      reason: "is locked against changes",
      hints: [
        `Unlock it (az acr repository update --name ${registry} ${option} --write-enabled true; use --repository instead of --image if the whole repository is locked), or choose another name`,
      ],
    };
  },
  quotaExceeded: (registry: string): Failure => ({
    code: "TARGET_QUOTA_EXCEEDED",
    side: "target",
    object: `the storage of ${registry}`,
    reason: "is full",
    hints: ["Delete what is no longer needed (az acr show-usage shows the limit), or choose a larger SKU"],
  }),
} as const;

/** Object and reason for one target; for several, all of them in the reason. */
function comparison(loginServer: string, found: readonly Found[], remark: string, digest: string | undefined) {
  const [first, ...others] = found.map(({ target, holds }) => ({
    object: `${loginServer}/${target}`,
    state: holds === undefined ? "was not found" : `holds ${holds}`,
  }));
  const expected = digest === undefined ? "" : `; expected ${digest}`;
  const rest = others.map(({ object, state }) => `, ${object} ${state}`).join("");
  return { object: first?.object ?? loginServer, reason: `${first?.state}${rest}, ${remark}${expected}` };
}
