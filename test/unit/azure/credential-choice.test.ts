/** The choice of the credential by configuration and environment. */
import { chooseCredential, describeChoice } from "../../../provider/azure/credential-choice";
import { azureSettings } from "../../../provider/azure/settings";
import { failureOf } from "../../../provider/failure/failure";

const PRINCIPAL = { ARM_TENANT_ID: "tenant", ARM_CLIENT_ID: "client", ARM_SUBSCRIPTION_ID: "subscription" };
const CERTIFICATE = { ARM_CLIENT_CERTIFICATE_PATH: "/cert.pem", ARM_CLIENT_CERTIFICATE_PASSWORD: "open sesame" };
const SECRET = { ARM_CLIENT_SECRET: "s3cret" };
const REQUEST = {
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://token.actions.example/?a=1",
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: "runner-token",
};
const OIDC = { ARM_USE_OIDC: "true", ARM_OIDC_TOKEN: "assertion" };
const MSI = { ARM_USE_MSI: "true" };
const DEFAULT = { ARM_USE_DEFAULT_AZURE_CREDENTIAL: "true" };

const choose = (env: Record<string, string>) => chooseCredential(azureSettings(() => undefined, env));

/** Environment → choice. Each row also sets a later choice, which must not count. */
test.each([
  [
    "the default chain, only when asked for",
    { ...DEFAULT, ...PRINCIPAL, ...CERTIFICATE, ...SECRET, ...OIDC, ...MSI },
    { kind: "default chain", tenantId: "tenant" },
  ],
  [
    "a certificate",
    { ...PRINCIPAL, ...CERTIFICATE, ...SECRET, ...OIDC, ...MSI },
    {
      kind: "certificate",
      tenantId: "tenant",
      clientId: "client",
      from: "ARM_CLIENT_CERTIFICATE_PATH",
      path: "/cert.pem",
      password: "open sesame",
    },
  ],
  [
    "a secret",
    { ...PRINCIPAL, ...SECRET, ...OIDC, ...MSI },
    { kind: "secret", tenantId: "tenant", clientId: "client", from: "ARM_CLIENT_SECRET", secret: "s3cret" },
  ],
  [
    "an OIDC token",
    { ...PRINCIPAL, ...OIDC, ARM_OIDC_TOKEN_FILE_PATH: "/token", ...REQUEST, ...MSI },
    { kind: "OIDC", tenantId: "tenant", clientId: "client", from: "ARM_OIDC_TOKEN", assertion: { token: "assertion" } },
  ],
  [
    "an OIDC token file",
    { ...PRINCIPAL, ARM_USE_OIDC: "true", ARM_OIDC_TOKEN_FILE_PATH: "/token", ...REQUEST, ...MSI },
    {
      kind: "OIDC",
      tenantId: "tenant",
      clientId: "client",
      from: "ARM_OIDC_TOKEN_FILE_PATH",
      assertion: { file: "/token" },
    },
  ],
  [
    "an OIDC request URL",
    { ...PRINCIPAL, ARM_USE_OIDC: "true", ...REQUEST, ...MSI },
    {
      kind: "OIDC",
      tenantId: "tenant",
      clientId: "client",
      from: "ACTIONS_ID_TOKEN_REQUEST_URL",
      assertion: {
        url: REQUEST.ACTIONS_ID_TOKEN_REQUEST_URL,
        bearer: "runner-token",
        audience: "api://AzureADTokenExchange",
      },
    },
  ],
  [
    "an OIDC request URL with an audience",
    { ...PRINCIPAL, ARM_USE_OIDC: "true", ...REQUEST, ARM_OIDC_AUDIENCE: "api://ours" },
    {
      kind: "OIDC",
      tenantId: "tenant",
      clientId: "client",
      from: "ACTIONS_ID_TOKEN_REQUEST_URL",
      assertion: { url: REQUEST.ACTIONS_ID_TOKEN_REQUEST_URL, bearer: "runner-token", audience: "api://ours" },
    },
  ],
  ["the managed identity of the machine", { ...MSI, ARM_TENANT_ID: "tenant" }, { kind: "managed identity" }],
  ["a user-assigned managed identity", { ...MSI, ...PRINCIPAL }, { kind: "managed identity", clientId: "client" }],
  ["the Azure CLI, when nothing is configured", {}, { kind: "Azure CLI" }],
  [
    "the Azure CLI, in a tenant and subscription",
    { ARM_TENANT_ID: "tenant", ARM_SUBSCRIPTION_ID: "/subscriptions/s" },
    { kind: "Azure CLI", tenantId: "tenant", subscriptionId: "s" },
  ],
  ["the Azure CLI in a workflow that could ask for a token but does not want OIDC", REQUEST, { kind: "Azure CLI" }],
])("chooses %s", (_, env, choice) => {
  expect(choose(env)).toEqual(choice);
});

/** Environment → parts of the message. */
test.each([
  [
    "a certificate without tenant",
    { ...CERTIFICATE, ARM_CLIENT_ID: "client" },
    ["the client certificate (ARM_CLIENT_CERTIFICATE_PATH) requires ARM_TENANT_ID (azure-native:tenantId) ["],
  ],
  [
    "a secret without tenant and client",
    { ...SECRET, ...MSI },
    [
      "the client secret (ARM_CLIENT_SECRET) requires ARM_TENANT_ID (azure-native:tenantId) and ARM_CLIENT_ID (azure-native:clientId) [",
    ],
  ],
  [
    "OIDC without any token",
    { ...PRINCIPAL, ARM_USE_OIDC: "true", ...MSI },
    ["OIDC (ARM_USE_OIDC) has no token", "ARM_OIDC_TOKEN_FILE_PATH"],
  ],
  [
    "OIDC with a request URL alone",
    { ...PRINCIPAL, ARM_USE_OIDC: "true", ACTIONS_ID_TOKEN_REQUEST_URL: "https://x" },
    ["OIDC (ARM_USE_OIDC) requires ACTIONS_ID_TOKEN_REQUEST_TOKEN (azure-native:oidcRequestToken) ["],
  ],
  [
    "OIDC without client",
    { ...OIDC, ARM_TENANT_ID: "tenant" },
    ["OIDC (ARM_OIDC_TOKEN) requires ARM_CLIENT_ID (azure-native:clientId) ["],
  ],
  [
    "a client ID alone",
    PRINCIPAL,
    ["the service principal (ARM_CLIENT_ID) has no credential", "ARM_CLIENT_SECRET", "ARM_USE_OIDC", "Azure CLI"],
  ],
])("an incomplete configuration is an error, never a reason to try the next credential: %s", (_, env, words) => {
  let message = "";
  try {
    choose(env);
  } catch (error) {
    expect(failureOf(error)?.code).toBe("AZURE_CREDENTIAL_MISSING");
    message = String(error);
  }
  for (const word of words) expect(message).toContain(word);
  for (const secret of ["s3cret", "open sesame", "assertion", "runner-token"]) expect(message).not.toContain(secret);
});

test("the description names the identity and its source, without secrets", () => {
  expect(describeChoice(choose({ ...PRINCIPAL, ...SECRET }))).toBe(
    "service principal client of tenant tenant (client secret from ARM_CLIENT_SECRET)",
  );
  expect(describeChoice(choose({ ...PRINCIPAL, ...CERTIFICATE }))).toBe(
    "service principal client of tenant tenant (client certificate from ARM_CLIENT_CERTIFICATE_PATH)",
  );
  expect(describeChoice(choose({ ...PRINCIPAL, ...OIDC }))).toBe(
    "service principal client of tenant tenant (OIDC token from ARM_OIDC_TOKEN)",
  );
  expect(describeChoice(choose({ ...MSI, ARM_CLIENT_ID: "client" }))).toBe("managed identity client");
  expect(describeChoice(choose({}))).toBe("the account of the Azure CLI (az login)");
});
