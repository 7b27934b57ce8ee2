/** What the errors of @azure/identity mean. Their own texts are up to 1.5 kB long and hide the network's reason. */
import { azureFailure, type Failure } from "../failure/failure";
import type { Cloud } from "./cloud";
import { type CredentialChoice, describeChoice } from "./credential-choice";
import { nameOf } from "./settings";

/** The last thing that was seen on the network while a token was asked for. */
export interface NetworkTrace {
  host?: string;
  problem?: string | undefined;
}

/** What to do about the refusals of Entra that users meet, by number. */
const REMEDIES: Readonly<Record<string, string>> = {
  AADSTS7000215: "set the client secret's value, not its ID",
  AADSTS7000222: "the client secret has expired: make a new one",
  AADSTS700016: "check client ID and tenant ID: this tenant does not know the application",
  AADSTS90002: "check the tenant ID, and that the cloud (ARM_ENVIRONMENT) is the tenant's",
  AADSTS700024: "the OIDC token has expired: use the request URL or a token file that is renewed, not a fixed token",
  AADSTS700027: "the certificate is not one of the application's: upload its public part to the app registration",
  AADSTS700082: "log in again: az login",
  AADSTS50076: "log in again with multi-factor authentication: az login",
  AADSTS70021: "add a federated credential for this issuer and subject to the app registration",
  AADSTS700211: "add a federated credential for this issuer to the app registration",
  AADSTS700212: "add a federated credential for this audience to the app registration",
  AADSTS700213: "add a federated credential for this subject to the app registration",
};

/** The failure behind an error that a token request ended in. */
export function credentialFailure(error: Error, choice: CredentialChoice, cloud: Cloud, seen: NetworkTrace): Failure {
  const who = describeChoice(choice);
  const text = `${error.message} ${error.cause instanceof Error ? error.cause.message : ""}`;
  const code = /AADSTS\d+/.exec(text)?.[0];
  if (code) {
    return azureFailure.credentialRejected(
      who,
      aadSentence(text, code),
      REMEDIES[code] ?? "check the credential and its tenant",
      correlation(text),
    );
  }
  if (choice.kind === "Azure CLI") {
    const absent = /could not be found/i.test(text);
    return azureFailure.credentialMissing(
      "nothing else is configured, so that the Azure CLI is used",
      absent ? "az is not installed here" : firstSentence(text),
      `run az login, or set ${nameOf("tenantId")}, ${nameOf("clientId")} and ${nameOf("clientSecret")}, or another of azure-native's ways`,
    );
  }
  if (choice.kind === "default chain") {
    return azureFailure.credentialMissing(
      "the default credential chain is switched on",
      "none of its credentials works here",
      "log in with one of them, or narrow the chain with AZURE_TOKEN_CREDENTIALS",
      chain(text),
    );
  }
  if (choice.kind === "managed identity") {
    return azureFailure.credentialMissing(
      `managed identity is switched on (${nameOf("useMsi")})`,
      "this machine gives no token for it",
      "run on an Azure machine that has this identity, or configure another credential",
    );
  }
  if (seen.problem || /network_error|client_error/.test(text)) {
    const host = seen.host ?? new URL(cloud.authority).host;
    return azureFailure.unavailable("Azure", host, seen.problem ?? "does not answer like Entra");
  }
  return azureFailure.credentialRejected(who, firstSentence(error.message), "check the credential and its tenant");
}

/** `AADSTS7000215: Invalid client secret provided.` */
function aadSentence(text: string, code: string): string {
  const said = text.slice(text.indexOf(code)).split(/ Trace ID| - Correlation ID|\r?\n/, 1)[0] ?? code;
  return `${code}: ${firstSentence(said.slice(code.length + 1).trim())}`;
}

function firstSentence(text: string): string {
  const sentence = text.trim().split(/(?<=\.)\s|\r?\n/, 1)[0] ?? "";
  return sentence.length > 240 ? `${sentence.slice(0, 240)}…` : sentence.replace(/\.$/, "");
}

function correlation(text: string): string | undefined {
  const id = /Correlation ID:?\s*([0-9a-f-]{36})/i.exec(text)?.[1];
  return id && `correlation ID ${id}`;
}

/** One short line per credential of the chain. */
function chain(text: string): string {
  const lines = text.split("\n").filter((line) => /^\w*(Error|Credential)/.test(line) && !/^Chained/.test(line));
  return lines
    .map((line) => line.slice(0, 120))
    .join("; ")
    .slice(0, 600);
}
