/**
 * The Azure identity of this run, chosen as azure-native chooses it.
 *
 * 1. the default chain of @azure/identity, only when switched on
 * 2. service principal with a client certificate
 * 3. service principal with a client secret
 * 4. OIDC: a token, a file, or a URL that returns one
 * 5. managed identity
 * 6. Azure CLI
 *
 * The first one that is configured is used. An incomplete configuration is an error, never a reason to try the next one.
 */
import { azureFailure } from "../failure/azure";
import { ImportError } from "../failure/failure";
import { type AzureSettings, defaultSubscription, isOn, nameOf, type SettingName } from "./settings";

/** How this run signs in to Azure. */
export type CredentialChoice =
  | { readonly kind: "default chain"; readonly tenantId?: string }
  | (Principal & { readonly kind: "certificate"; readonly path: string; readonly password?: string })
  | (Principal & { readonly kind: "secret"; readonly secret: string })
  | (Principal & { readonly kind: "OIDC"; readonly assertion: Assertion })
  | { readonly kind: "managed identity"; readonly clientId?: string }
  | { readonly kind: "Azure CLI"; readonly tenantId?: string; readonly subscriptionId?: string };

interface Principal {
  readonly tenantId: string;
  readonly clientId: string;
  /** The setting that the secret comes from. */
  readonly from: string;
}

/** Where the assertion of an OIDC credential comes from. Assertions expire within minutes, so each token gets a new one. */
export type Assertion =
  | { readonly token: string }
  | { readonly file: string }
  | { readonly url: string; readonly bearer: string; readonly audience: string };

/** Chooses the credential, or throws a failure that names the incomplete one and what it requires. */
export function chooseCredential(settings: AzureSettings): CredentialChoice {
  const { clientId, tenantId, clientCertificatePath, clientSecret, clientCertificatePassword } = settings;
  const inTenant = tenantId && { tenantId: tenantId.value };
  if (isOn(settings.useDefaultAzureCredential)) return { kind: "default chain", ...inTenant };
  if (clientCertificatePath) {
    const { value: path, from } = clientCertificatePath;
    const password = clientCertificatePassword && { password: clientCertificatePassword.value };
    return { kind: "certificate", ...principal(settings, "the client certificate", from), path, ...password };
  }
  if (clientSecret) {
    const { value: secret, from } = clientSecret;
    return { kind: "secret", ...principal(settings, "the client secret", from), secret };
  }
  if (isOn(settings.useOidc)) {
    const { assertion, from } = oidcAssertion(settings);
    return { kind: "OIDC", ...principal(settings, "OIDC", from), assertion };
  }
  if (isOn(settings.useMsi)) return { kind: "managed identity", ...(clientId && { clientId: clientId.value }) };
  if (clientId) {
    throw missing(
      `the service principal (${clientId.from})`,
      "has no credential",
      `Set one of ${nameOf("clientSecret")}, ${nameOf("clientCertificatePath")}, ${nameOf("useOidc")}=true or ${nameOf("useMsi")}=true. To use the Azure CLI instead, unset ${clientId.from}`,
    );
  }
  const subscriptionId = defaultSubscription(settings);
  return { kind: "Azure CLI", ...inTenant, ...(subscriptionId && { subscriptionId }) };
}

/** The identity in messages, without any secret. */
export function describeChoice(choice: CredentialChoice): string {
  switch (choice.kind) {
    case "default chain":
      return "the identity of the default credential chain";
    case "certificate":
    case "secret":
      return `service principal ${choice.clientId} of tenant ${choice.tenantId} (client ${choice.kind} from ${choice.from})`;
    case "OIDC":
      return `service principal ${choice.clientId} of tenant ${choice.tenantId} (OIDC token from ${choice.from})`;
    case "managed identity":
      return choice.clientId ? `managed identity ${choice.clientId}` : "the managed identity of this machine";
    case "Azure CLI":
      return "the account of the Azure CLI (az login)";
  }
}

function principal(settings: AzureSettings, method: string, from: string): Principal {
  const { tenantId, clientId } = settings;
  if (tenantId && clientId) return { tenantId: tenantId.value, clientId: clientId.value, from };
  const lacking = (["tenantId", "clientId"] as const).filter((name) => !settings[name]).map(nameOf);
  throw missing(`${method} (${from})`, `requires ${lacking.join(" and ")}`, `Set ${lacking.join(" and ")}`);
}

function oidcAssertion(settings: AzureSettings): { assertion: Assertion; from: string } {
  const { oidcToken, oidcTokenFilePath, oidcRequestToken, oidcRequestUrl, oidcAudience } = settings;
  if (oidcToken) return { assertion: { token: oidcToken.value }, from: oidcToken.from };
  if (oidcTokenFilePath) return { assertion: { file: oidcTokenFilePath.value }, from: oidcTokenFilePath.from };
  if (oidcRequestUrl && oidcRequestToken) {
    const audience = oidcAudience?.value ?? "api://AzureADTokenExchange";
    return {
      assertion: { url: oidcRequestUrl.value, bearer: oidcRequestToken.value, audience },
      from: oidcRequestUrl.from,
    };
  }
  const half: SettingName[] = oidcRequestUrl ? ["oidcRequestToken"] : oidcRequestToken ? ["oidcRequestUrl"] : [];
  throw missing(
    `OIDC (${settings.useOidc?.from})`,
    half.length > 0 ? `requires ${half.map(nameOf).join()}` : "has no token",
    half.length > 0
      ? "Set permissions: id-token: write, with which GitHub Actions provides both variables"
      : `Set one of ${nameOf("oidcToken")}, ${nameOf("oidcTokenFilePath")}, or ${nameOf("oidcRequestUrl")} with ${nameOf("oidcRequestToken")}. In GitHub Actions, set permissions: id-token: write`,
  );
}

function missing(method: string, reason: string, hint: string): ImportError {
  return new ImportError(azureFailure.credentialMissing(method, reason, hint));
}
