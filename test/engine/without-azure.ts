/** Takes the Azure identity out of a command's environment: it must not be needed. */
export const withoutAzure: NodeJS.ProcessEnv = Object.fromEntries(
  ["TENANT_ID", "SUBSCRIPTION_ID", "CLIENT_ID", "CLIENT_SECRET"].flatMap((name) => [
    [`ARM_${name}`, undefined],
    [`AZURE_${name}`, undefined],
  ]),
);
