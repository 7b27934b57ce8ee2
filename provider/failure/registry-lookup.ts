/** Failures of looking an Azure registry up by resource ID, login server or name. */
import { type Failure, type Side, withDetail } from "./failure";
import { IMPORT_ROLE } from "./roles";

export const lookupFailure = {
  notFound: (side: Side, name: string, searched: string, hint: string, message?: string): Failure => ({
    code: "REGISTRY_NOT_FOUND",
    side,
    object: `registry ${name}`,
    reason: `was not found (searched ${searched})`,
    hints: [hint],
    ...withDetail(message),
  }),
  /** Azure hides a registry from an identity without a role on it, so that it may exist nevertheless. */
  notVisible: (side: Side, name: string, identity: string, searched: string): Failure => ({
    code: "REGISTRY_NOT_FOUND",
    side,
    object: `registry ${name}`,
    reason: `is not visible to ${identity}; searched ${searched}`,
    hints: [
      `Check the name. If the registry exists, grant this identity the role ${IMPORT_ROLE} on it or on its resource group, or use its resource ID instead of the name`,
      ...(side === "source"
        ? ["For a registry of another tenant, use its login server and pass source.credentials"]
        : []),
    ],
  }),
  notReady: (side: Side, name: string): Failure => ({
    code: "REGISTRY_NOT_FOUND",
    side,
    object: `registry ${name}`,
    reason: "has no login server yet",
    hints: ["Wait until the registry is created, then run the command again"],
  }),
  ambiguous: (side: Side, name: string, ids: readonly string[]): Failure => ({
    code: "REGISTRY_AMBIGUOUS",
    side,
    object: `the name ${name}`,
    reason: `matches ${ids.length} registries: ${ids.join(", ")}`,
    hints: ["Use the resource ID instead of the name"],
  }),
  skuUnsupported: (side: Side, name: string, sku: string): Failure => ({
    code: "REGISTRY_SKU_UNSUPPORTED",
    side,
    object: `registry ${name}`,
    reason: `uses the ${sku} SKU, which does not support import`,
    hints: [`Upgrade it: az acr update --name ${name} --sku Standard`],
  }),
} as const;
