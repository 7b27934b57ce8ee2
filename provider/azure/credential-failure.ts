/** Explains the errors of @azure/identity, whose own texts are up to 1.5 kB long and hide network errors. */
import { azureFailure } from "../failure/azure";
import type { Failure } from "../failure/failure";
import type { Cloud } from "./cloud";
import { type CredentialChoice, describeChoice } from "./credential-choice";
import { nameOf } from "./settings";

/** The last network event of a token request. */
export interface NetworkTrace {
  host?: string;
  problem?: string | undefined;
}

/** Hints for the error codes of Entra that users meet: https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const HINTS: Readonly<Record<string, string>> = {
  AADSTS7000215: "Set the value of the client secret, not its ID",
  AADSTS7000222: "Create a new client secret: this one has expired",
  AADSTS700016: "Check the client ID and the tenant ID: the application was not found in this tenant",
  AADSTS90002: "Check the tenant ID, and that the tenant belongs to the configured cloud (ARM_ENVIRONMENT)",
  AADSTS700024: "Use the request URL or a token file that is renewed, not a fixed token: the OIDC token has expired",
  AADSTS700027: "Upload the public part of the certificate to the app registration, which does not have it",
  AADSTS700082: "Sign in again: az login",
  AADSTS50076: "Sign in again with multi-factor authentication: az login",
  AADSTS70021: "Add a federated credential for this issuer and subject to the app registration",
  AADSTS700211: "Add a federated credential for this issuer to the app registration",
  AADSTS700212: "Add a federated credential for this audience to the app registration",
  AADSTS700213: "Add a federated credential for this subject to the app registration",
};

/** The failure behind the error of a token request. */
export function credentialFailure(error: Error, choice: CredentialChoice, cloud: Cloud, seen: NetworkTrace): Failure {
  const identity = describeChoice(choice);
  const text = `${error.message} ${error.cause instanceof Error ? error.cause.message : ""}`;
  const code = /AADSTS\d+/.exec(text)?.[0];
  if (code) {
    return azureFailure.credentialRejected(
      identity,
      aadSentence(text, code),
      HINTS[code] ?? "Check the credential and its tenant",
      correlation(text),
    );
  }
  if (choice.kind === "Azure CLI") {
    const absent = /could not be found/i.test(text);
    return azureFailure.credentialMissing(
      "the Azure CLI",
      `${absent ? "is not installed" : `returned no token (${firstSentence(text)})`}, and no other credential is configured`,
      `Run az login, or set ${nameOf("tenantId")}, ${nameOf("clientId")} and ${nameOf("clientSecret")}, or use another credential that azure-native supports`,
    );
  }
  if (choice.kind === "default chain") {
    return azureFailure.credentialMissing(
      "the default credential chain",
      "has no credential that works on this machine",
      "Sign in with one of its credentials, or narrow the chain with AZURE_TOKEN_CREDENTIALS",
      chain(text),
    );
  }
  if (choice.kind === "managed identity") {
    return azureFailure.credentialMissing(
      "the managed identity",
      "is not available on this machine",
      `Run on an Azure machine that has this identity, or unset ${nameOf("useMsi")} and configure another credential`,
    );
  }
  if (seen.problem || /network_error|client_error/.test(text)) {
    const host = seen.host ?? new URL(cloud.authority).host;
    return azureFailure.unavailable("Azure", host, seen.problem ?? "returned an unexpected response");
  }
  return azureFailure.credentialRejected(identity, firstSentence(error.message), "Check the credential and its tenant");
}

/** `AADSTS7000215: Invalid client secret provided.` */
function aadSentence(text: string, code: string): string {
  const line = text.slice(text.indexOf(code)).split(/ Trace ID| - Correlation ID|\r?\n/, 1)[0] ?? code;
  return `${code}: ${firstSentence(line.slice(code.length + 1).trim())}`;
}

function firstSentence(text: string): string {
  const sentence = text.trim().split(/(?<=\.)\s|\r?\n/, 1)[0] ?? "";
  return sentence.length > 240 ? `${sentence.slice(0, 240)}…` : sentence.replace(/\.$/, "");
}

function correlation(text: string): string | undefined {
  const id = /Correlation ID:?\s*([0-9a-f-]{36})/i.exec(text)?.[1];
  return id && `correlation ID ${id}`;
}

/** The errors of the chain, one short part per credential. */
function chain(text: string): string {
  const lines = text.split("\n").filter((line) => /^\w*(Error|Credential)/.test(line) && !/^Chained/.test(line));
  return lines
    .map((line) => line.slice(0, 120))
    .join("; ")
    .slice(0, 600);
}
