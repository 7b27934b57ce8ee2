/**
 * The identity that this run has in Azure, chosen as azure-native chooses it.
 *
 * 1. the default chain of @azure/identity, only when asked for
 * 2. service principal with a client certificate
 * 3. service principal with a client secret
 * 4. OIDC: a token, a file, or a URL that hands one out
 * 5. managed identity
 * 6. Azure CLI
 *
 * The first that is configured is used. Half a configuration is an error, never a reason to try the next one.
 */
import { azureFailure, ImportError } from "../failure/failure";
import { type AzureSettings, defaultSubscription, isOn, nameOf, type SettingName } from "./settings";

/** How this run identifies itself. */
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
  /** Where the secret part comes from: the name of a setting. */
  readonly from: string;
}

/** Where the assertion of an OIDC credential comes from. Assertions live for minutes, so it is fetched for each token. */
export type Assertion =
  | { readonly token: string }
  | { readonly file: string }
  | { readonly url: string; readonly bearer: string; readonly audience: string };

/** Chooses the credential, or throws a failure that says which way was begun and what it lacks. */
export function chooseCredential(settings: AzureSettings): CredentialChoice {
  const { clientId, tenantId, clientCertificatePath, clientSecret, clientCertificatePassword } = settings;
  const inTenant = tenantId && { tenantId: tenantId.value };
  if (isOn(settings.useDefaultAzureCredential)) return { kind: "default chain", ...inTenant };
  if (clientCertificatePath) {
    const { value: path, from } = clientCertificatePath;
    const password = clientCertificatePassword && { password: clientCertificatePassword.value };
    return { kind: "certificate", ...principal(settings, "a client certificate", from), path, ...password };
  }
  if (clientSecret) {
    const { value: secret, from } = clientSecret;
    return { kind: "secret", ...principal(settings, "a client secret", from), secret };
  }
  if (isOn(settings.useOidc)) {
    const { assertion, from } = oidcAssertion(settings);
    return { kind: "OIDC", ...principal(settings, "OIDC", from), assertion };
  }
  if (isOn(settings.useMsi)) return { kind: "managed identity", ...(clientId && { clientId: clientId.value }) };
  if (clientId) {
    throw missing(
      `a service principal is named (${clientId.from})`,
      "nothing says how it proves itself",
      `set one of ${nameOf("clientSecret")}, ${nameOf("clientCertificatePath")}, ${nameOf("useOidc")}=true or ${nameOf("useMsi")}=true; to use the Azure CLI instead, unset ${clientId.from}`,
    );
  }
  const subscriptionId = defaultSubscription(settings);
  return { kind: "Azure CLI", ...inTenant, ...(subscriptionId && { subscriptionId }) };
}

/** Who this is, for messages: no secret in it. */
export function describeChoice(choice: CredentialChoice): string {
  switch (choice.kind) {
    case "default chain":
      return "the identity of the default credential chain";
    case "certificate":
    case "secret":
      return `service principal ${choice.clientId} (client ${choice.kind} from ${choice.from}), tenant ${choice.tenantId}`;
    case "OIDC":
      return `service principal ${choice.clientId} (OIDC token from ${choice.from}), tenant ${choice.tenantId}`;
    case "managed identity":
      return choice.clientId ? `managed identity ${choice.clientId}` : "the managed identity of this machine";
    case "Azure CLI":
      return "the account of the Azure CLI (az login)";
  }
}

function principal(settings: AzureSettings, way: string, from: string): Principal {
  const { tenantId, clientId } = settings;
  if (tenantId && clientId) return { tenantId: tenantId.value, clientId: clientId.value, from };
  const lacking = (["tenantId", "clientId"] as const).filter((name) => !settings[name]).map(nameOf);
  throw missing(`${way} is configured (${from})`, `${lacking.join(" and ")} missing`, `set ${lacking.join(" and ")}`);
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
    `OIDC is switched on (${settings.useOidc?.from})`,
    half.length > 0 ? `${half.map(nameOf).join()} is missing` : "there is no token",
    half.length > 0
      ? "in GitHub Actions both come with permissions: id-token: write"
      : `set one of ${nameOf("oidcToken")}, ${nameOf("oidcTokenFilePath")}, or ${nameOf("oidcRequestUrl")} with ${nameOf("oidcRequestToken")}; in GitHub Actions: permissions: id-token: write`,
  );
}

function missing(way: string, what: string, remedy: string): ImportError {
  return new ImportError(azureFailure.credentialMissing(way, what, remedy));
}
