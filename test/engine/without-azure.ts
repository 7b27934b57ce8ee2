/** An environment without an Azure identity. */

/** Removes the Azure identity from the environment of a command that must not need it. */
export const withoutAzure: NodeJS.ProcessEnv = Object.fromEntries(
  ["TENANT_ID", "SUBSCRIPTION_ID", "CLIENT_ID", "CLIENT_SECRET"].flatMap((name) => [
    [`ARM_${name}`, undefined],
    [`AZURE_${name}`, undefined],
  ]),
);
