/** Failures of Azure itself: configuration, identity and Resource Manager. */
import { type Failure, type Side, withDetail } from "./failure";
import { IMPORT_ROLE } from "./roles";

export const azureFailure = {
  configurationInvalid: (setting: string, reason: string, hint: string): Failure => ({
    code: "AZURE_CONFIGURATION_INVALID",
    side: "Azure",
    object: setting,
    reason,
    hints: [hint],
  }),
  /** @param method - How this run signs in, as the settings say: a client secret, OIDC, the Azure CLI. */
  credentialMissing: (method: string, reason: string, hint: string, message?: string): Failure => ({
    code: "AZURE_CREDENTIAL_MISSING",
    side: "Azure",
    object: method,
    reason,
    hints: [hint],
    ...withDetail(message),
  }),
  credentialRejected: (identity: string, reason: string, hint: string, message?: string): Failure => ({
    code: "AZURE_CREDENTIAL_REJECTED",
    side: "Azure",
    object: identity,
    reason: `was rejected: ${reason}`,
    hints: [hint],
    ...withDetail(message),
  }),
  permissionDenied: (side: Side, scope: string, identity: string, message?: string): Failure => ({
    code: "AZURE_PERMISSION_DENIED",
    side,
    object: identity,
    reason: `is not allowed to import ${side === "source" ? "from" : "into"} ${scope}`,
    hints: [
      `Grant this identity the role ${IMPORT_ROLE} on ${scope}. A new role assignment can take a few minutes to take effect`,
    ],
    ...withDetail(message),
  }),
  foreignTenant: (side: Side, registry: string, identity: string): Failure => ({
    code: "AZURE_PERMISSION_DENIED",
    side,
    object: `registry ${registry}`,
    reason: `belongs to another tenant, in which ${identity} has no permissions`,
    hints: [
      side === "source"
        ? "Use its login server and pass source.credentials: a repository-scoped token, or a service principal of its tenant"
        : "Use an identity of that tenant",
    ],
  }),
  throttled: (side: Side, host: string): Failure => ({
    code: "AZURE_THROTTLED",
    side,
    object: host,
    reason: "is rate limiting (429 Too Many Requests)",
    hints: ["Run the command again later, or lower --parallel"],
  }),
  /** @param reason - A predicate: "responded with HTTP 503", "could not be reached: …". */
  unavailable: (side: Side | "Azure", host: string, reason: string, message?: string): Failure => ({
    code: "AZURE_UNAVAILABLE",
    side,
    object: host,
    reason,
    hints: [
      "Check the network, the proxy (HTTPS_PROXY, NO_PROXY) and, if the proxy inspects TLS, its certificate authority (NODE_EXTRA_CA_CERTS), then run the command again",
    ],
    ...withDetail(message),
  }),
} as const;
