/** Digests, resource IDs and identities that many tests share. */
import { subscriptionId } from "acr-emulator";
import type { Digest } from "../../provider/reference/digest";

export { secondSubscriptionId, subscriptionId, tenantId } from "acr-emulator";

/** A digest of one repeated hexadecimal digit: equal digits make equal digests. */
export function digestOf(digit: string): Digest {
  return `sha256:${digit.repeat(64)}` as Digest;
}

/** The resource ID of a registry, by default in the first subscription of the emulator. */
export function registryId(name: string, subscription = subscriptionId, resourceGroup = "images"): string {
  return `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.ContainerRegistry/registries/${name}`;
}

/** The subscription of `othertenantsource`. */
export const otherTenantSubscriptionId = "55555555-5555-4555-8555-555555555555";

/** The least role that can import, which messages about missing rights must name. */
export const DATA_IMPORTER = "Container Registry Data Importer and Data Reader";

/** Service principals of the emulator besides the default one. */
export const servicePrincipals = {
  /** Can pull from `mysourceregistry` only. */
  sourceReader: {
    clientId: "cccccccc-0000-4000-8000-000000000001",
    objectId: "cccccccc-0000-4000-8000-00000000000f",
    secret: "source-reader~secret",
  },
  withoutRights: {
    clientId: "dddddddd-0000-4000-8000-000000000001",
    objectId: "dddddddd-0000-4000-8000-00000000000f",
    secret: "without-rights~secret",
  },
  /** Can pull from `othertenantsource`, in the tenant of that registry. */
  otherTenantReader: {
    clientId: "eeeeeeee-0000-4000-8000-000000000001",
    objectId: "eeeeeeee-0000-4000-8000-00000000000f",
    secret: "other-tenant-reader~secret",
  },
} as const;

export type ServicePrincipal = (typeof servicePrincipals)[keyof typeof servicePrincipals];

/** The variables of a run that signs in as a service principal. */
export function variablesOf({ clientId, secret }: ServicePrincipal): {
  ARM_CLIENT_ID: string;
  ARM_CLIENT_SECRET: string;
} {
  return { ARM_CLIENT_ID: clientId, ARM_CLIENT_SECRET: secret };
}

/** Source credentials of a service principal. */
export function credentialsOf({ clientId, secret }: ServicePrincipal): { username: string; password: string } {
  return { username: clientId, password: secret };
}
