/** The chosen identity as a credential of @azure/identity. */
import { readFile } from "node:fs/promises";
import type { AccessToken, TokenCredential } from "@azure/core-auth";
import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { azureFailure } from "../failure/azure";
import { failureOf, ImportError } from "../failure/failure";
import { PromiseCache } from "../registry/promise-cache";
import { send } from "../registry/transport/send";
import { readClientCertificate } from "./client-certificate";
import type { Cloud } from "./cloud";
import { connectionPolicy } from "./connection-policy";
import type { Assertion, CredentialChoice } from "./credential-choice";
import { credentialFailure, type NetworkTrace } from "./credential-failure";
import { identitySdk } from "./sdk";
import { type AzureSettings, auxiliaryTenants, isOn } from "./settings";

/** Creates the credential. @azure/identity caches its tokens; its errors are {@link ImportError}s. */
export function createCredential(choice: CredentialChoice, cloud: Cloud, settings: AzureSettings): TokenCredential {
  const seen: NetworkTrace = {};
  const credential = sdkCredential(choice, {
    authorityHost: cloud.authority,
    disableInstanceDiscovery: isOn(settings.disableInstanceDiscovery),
    additionallyAllowedTenants: auxiliaryTenants(settings),
    additionalPolicies: [
      { policy: connectionPolicy(), position: "perRetry" },
      { policy: recordNetworkErrors(seen), position: "perRetry" },
    ],
  });
  // @azure/identity would request the same token for each of the imports that start at once.
  const pending = new PromiseCache<AccessToken | null>();
  return {
    async getToken(scopes, { abortSignal, ...options } = {}): Promise<AccessToken | null> {
      const key = JSON.stringify([scopes, options.claims, options.tenantId, options.enableCae]);
      const getToken = async () => (await credential()).getToken(scopes, options);
      try {
        const token = await pending.get(key, abortSignal as AbortSignal | undefined, getToken);
        pending.forget(key, token);
        return token;
      } catch (error) {
        if (abortSignal?.aborted) throw error;
        throw new ImportError(
          failureOf(error) ??
            failureOf((error as Error).cause) ??
            credentialFailure(error as Error, choice, cloud, seen),
        );
      }
    },
  };
}

interface SdkOptions {
  readonly authorityHost: string;
  readonly disableInstanceDiscovery: boolean;
  readonly additionallyAllowedTenants: string[];
  readonly additionalPolicies: { policy: PipelinePolicy; position: "perRetry" }[];
}

/** The credential of @azure/identity for a choice, created at the first token. */
function sdkCredential(choice: CredentialChoice, options: SdkOptions): () => Promise<TokenCredential> {
  let credential: Promise<TokenCredential> | undefined;
  const create = async (): Promise<TokenCredential> => {
    const sdk = identitySdk();
    switch (choice.kind) {
      case "default chain":
        return new sdk.DefaultAzureCredential({ ...options, ...(choice.tenantId && { tenantId: choice.tenantId }) });
      case "certificate": {
        const certificate = { certificate: await readClientCertificate(choice) };
        return new sdk.ClientCertificateCredential(choice.tenantId, choice.clientId, certificate, options);
      }
      case "secret":
        return new sdk.ClientSecretCredential(choice.tenantId, choice.clientId, choice.secret, options);
      case "OIDC": {
        const assertion = () => fetchAssertion(choice.assertion, choice.from);
        return new sdk.ClientAssertionCredential(choice.tenantId, choice.clientId, assertion, options);
      }
      case "managed identity":
        return choice.clientId
          ? new sdk.ManagedIdentityCredential({
              clientId: choice.clientId,
              additionalPolicies: options.additionalPolicies,
            })
          : new sdk.ManagedIdentityCredential({ additionalPolicies: options.additionalPolicies });
      case "Azure CLI":
        return new sdk.AzureCliCredential({
          additionallyAllowedTenants: options.additionallyAllowedTenants,
          ...(choice.tenantId && { tenantId: choice.tenantId }),
          // The CLI takes either the tenant or the subscription.
          ...(!choice.tenantId && choice.subscriptionId && { subscription: choice.subscriptionId }),
        });
    }
  };
  return () => {
    credential ??= create();
    return credential;
  };
}

/** Records why requests fail: the authentication library reports every reason as `network_error`. */
function recordNetworkErrors(seen: NetworkTrace): PipelinePolicy {
  return {
    name: "recordNetworkErrors",
    async sendRequest(request, next) {
      seen.host = new URL(request.url).host;
      try {
        const response = await next(request);
        seen.problem =
          response.status >= 400 || response.status < 200 ? `responded with HTTP ${response.status}` : undefined;
        return response;
      } catch (error) {
        seen.problem = `could not be reached: ${(error as Error).message}`;
        throw error;
      }
    },
  };
}

async function fetchAssertion(assertion: Assertion, from: string): Promise<string> {
  if ("token" in assertion) return assertion.token;
  if ("file" in assertion) {
    return readFile(assertion.file, "utf8").then(
      (text) => text.trim(),
      (error: Error) => {
        throw new ImportError(
          azureFailure.credentialMissing(
            `OIDC (${from})`,
            `has a token file that cannot be read: ${error.message}`,
            `Correct ${from}`,
          ),
        );
      },
    );
  }
  const url = new URL(assertion.url);
  url.searchParams.set("audience", assertion.audience);
  const headers = { accept: "application/json", authorization: `Bearer ${assertion.bearer}` };
  const request = { method: "GET", url: url.href, headers } as const;
  const response = await send(request, { deadline: Date.now() + 30_000 }).catch((error: Error) => {
    throw new ImportError(azureFailure.unavailable("Azure", url.host, `returned no OIDC token: ${error.message}`));
  });
  const token =
    response.status === 200 ? /"value"\s*:\s*"([^"]+)"/.exec(response.body.toString("utf8"))?.[1] : undefined;
  if (token) return token;
  throw new ImportError(
    azureFailure.credentialRejected(
      `the request for an OIDC token at ${url.host} (${from})`,
      `HTTP ${response.status}`,
      "Check that the job is allowed to request one (in GitHub Actions permissions: id-token: write) and has not ended",
    ),
  );
}
