/** Failures of a registry's own protocol: the same on both sides. */
import { type Code, type Failure, type RegistryProblem, type Side, withDetail } from "./failure";
import { PULL_ROLE, type RegistryAction, TARGET_ROLES } from "./roles";

export const registryFailure = {
  notFound: (side: Side, reference: string): Failure => ({
    ...about(side, "NOT_FOUND", reference),
    reason: "was not found",
    hints: [
      ...misplacedHostHints(reference),
      "Check the repository and the tag. Registries also report a private image as missing to a client without access",
    ],
  }),
  /** https://github.com/Azure/acr/blob/main/docs/preview/quarantine/readme.md */
  quarantined: (side: Side, reference: string): Failure => ({
    ...about(side, "QUARANTINED", reference),
    reason: "is in quarantine",
    hints: [
      side === "source"
        ? "Wait until it is released from quarantine, then run the command again"
        : "Wait until it is released from quarantine, then run the command again: it picks up the image",
      "To read it nevertheless, grant the identity the role AcrQuarantineReader",
    ],
  }),
  credentialsRejected: (side: Side, host: string, message?: string): Failure => ({
    ...about(side, "CREDENTIALS_REJECTED", host),
    reason: "rejected the credentials",
    hints: [
      side === "source"
        ? "Check the user name in source.credentials, and that the password or token is valid and has not expired"
        : "Check that the Azure identity of this run belongs to the tenant of the registry",
    ],
    ...withDetail(message),
  }),
  accessDenied: (
    side: Side,
    reference: string,
    identity: string,
    message?: string,
    action: RegistryAction = "pull",
  ): Failure => ({
    ...about(side, "ACCESS_DENIED", identity),
    reason: `is not allowed to ${action} ${reference}`,
    hints:
      side === "source"
        ? [
            ...misplacedHostHints(reference),
            "Check the name: many registries, Docker Hub among them, respond in the same way when the image does not exist",
            "Pass source.credentials that are allowed to pull this repository",
            `For an Azure registry, grant the identity the role ${PULL_ROLE}`,
          ]
        : [`Grant the identity the role ${TARGET_ROLES[action]} on the target registry`],
    ...withDetail(message),
  }),
  networkBlocked: (side: Side, host: string, message?: string): Failure => ({
    ...about(side, "NETWORK_BLOCKED", `the firewall of ${host}`),
    reason: "blocks this machine",
    hints: [
      side === "source"
        ? WAYS_AROUND
        : "Run where the registry can be reached, or allow this machine in the network rules of the registry",
    ],
    ...withDetail(message),
  }),
  tokenServerUntrusted: (side: Side, host: string, realm: string): Failure => ({
    ...about(side, "TOKEN_SERVER_UNTRUSTED", host),
    reason: `delegates authentication to ${realm}, which does not belong to it`,
    hints: [
      "Check the spelling of the registry, and ask its owner about this token server. No credentials were sent",
      ...(side === "source"
        ? [
            'If the token server is right, set source.digestFrom: "target" or pin the digest (repo@sha256:…): then only Azure authenticates',
          ]
        : []),
    ],
  }),
  tokenServerWithoutTls: (side: Side, host: string, realm: string): Failure => ({
    ...about(side, "TOKEN_SERVER_UNTRUSTED", host),
    reason: `delegates authentication to ${realm}, an address without TLS`,
    hints: [
      "Configure the registry to name its token server by https, for example with X-Forwarded-Proto in the proxy in front of it. No credentials were sent",
    ],
  }),
  /**
   * A registry under a name of its own redirects to the one that stores the images. Its challenge is not followed: Azure, which
   * pulls by the name that it is given, would send the token to the wrong host.
   *
   * @param image - The image where the redirect leads to: `ghcr.io/owner/app:1`.
   */
  redirectDenied: (side: Side, host: string, to: string, image: string, message?: string): Failure => ({
    ...about(side, "ACCESS_DENIED", host),
    reason: `redirects to ${to}, which does not respond without a token of its own`,
    hints: [`Use ${image} instead. No credentials were sent to ${to}`],
    ...withDetail(message),
  }),
  /** The credentials were not used, so that they cannot be the reason. */
  credentialsNotRequested: (side: Side, host: string, reference: string, message?: string): Failure => ({
    ...about(side, "ACCESS_DENIED", host),
    reason: `does not allow pulling ${reference}, and does not ask for credentials`,
    hints: [
      ...misplacedHostHints(reference),
      "Check the name of the registry and of the image: credentials are sent only where a registry asks for them by a WWW-Authenticate header",
    ],
    ...withDetail(message),
  }),
  entraTokenWithheld: (side: Side, host: string): Failure => ({
    ...about(side, "TOKEN_SERVER_UNTRUSTED", host),
    reason: "is not a known Azure Container Registry, so no Entra token was sent to it",
    hints: ["Use the resource ID of the registry, or pass source.credentials"],
  }),
  throttled: (side: Side, host: string, seconds?: number): Failure => ({
    ...about(side, "THROTTLED", host),
    reason: `is rate limiting (429 Too Many Requests)${seconds === undefined ? "" : `; retry in ${seconds} s`}`,
    hints: [
      side === "source"
        ? "Run the command again later. The limit is higher with source.credentials"
        : "Run the command again later, or lower --parallel",
    ],
  }),
  /** No connection: the name is not found, the port is closed, nothing comes back. `errorCode` is that of Node.js. */
  unreachable: (side: Side, host: string, reason: string, errorCode = ""): Failure => ({
    ...about(side, "UNREACHABLE", host),
    reason: `could not be reached: ${reason}`,
    hints: connectionHints(side, errorCode),
  }),
  /** There is a connection, but the service behind it fails (5xx). */
  unavailable: (side: Side, host: string, reason: string): Failure => ({
    ...about(side, "UNAVAILABLE", host),
    reason: `is unavailable (${reason})`,
    hints: ["Run the command again later"],
  }),
  invalidResponse: (side: Side, host: string, reason: string): Failure => ({
    ...about(side, "INVALID_RESPONSE", host),
    reason: `returned an unexpected response: ${reason}`,
    hints: ["Check that the name belongs to a registry, and that no proxy or sign-in page responds in its place"],
  }),
} as const;

/** Docker Hub has no user whose name has a period, so that one is the host of another registry. */
function misplacedHostHints(reference: string): string[] {
  const [, image] = /^docker\.io\/(?:library\/)?([a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?\/.+)$/.exec(reference) ?? [];
  return image === undefined ? [] : [`Use ${image}, not ${reference}: each registry has its own host`];
}

function about<P extends RegistryProblem>(side: Side, problem: P, object: string) {
  return { code: `${side.toUpperCase() as Uppercase<Side>}_${problem}` satisfies Code, side, object };
}

const WAYS_AROUND =
  'If only Azure can reach the source, pin the digest (repo@sha256:…), set source.digestFrom: "target", or run where it can be reached';

function connectionHints(side: Side, errorCode: string): string[] {
  if (errorCode === "EPROTO" || errorCode === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return ["Check the host and the port: registries are contacted over HTTPS only"];
  }
  if (/CERT|SIGNATURE/.test(errorCode)) {
    return ["Check the host name, and whether a proxy intercepts TLS; certificate checks cannot be disabled"];
  }
  const check = "Check the name, the network and the proxy (HTTPS_PROXY), then run the command again";
  return side === "source" ? [check, WAYS_AROUND] : [check];
}
