/** Requests to Azure Resource Manager with the identity that azure-native would use: its configuration, else `ARM_*`. */
import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpMethods,
} from "@azure/core-rest-pipeline";
import { ClientSecretCredential } from "@azure/identity";
import type { Properties } from "./resource-types";

export interface ArmResponse {
  readonly status: number;
  readonly body: Properties;
}

export class ResourceManager {
  readonly #pipeline = createPipelineFromOptions({ userAgentOptions: { userAgentPrefix: "azure-native-stand-in" } });
  readonly #http = createDefaultHttpClient();
  readonly #setting: (key: string, variable: string) => string;

  constructor(config: ReadonlyMap<string, string>) {
    this.#setting = (key, variable) => config.get(key) ?? process.env[variable] ?? "";
  }

  get subscriptionId(): string {
    return this.#setting("subscriptionId", "ARM_SUBSCRIPTION_ID");
  }

  /** Who this plugin is, as `getClientConfig` returns it. */
  async clientConfig(): Promise<Properties> {
    const [, claims = ""] = (await this.#token()).split(".");
    const { oid } = JSON.parse(Buffer.from(claims, "base64url").toString());
    return {
      objectId: oid,
      clientId: this.#setting("clientId", "ARM_CLIENT_ID"),
      subscriptionId: this.subscriptionId,
      tenantId: this.#setting("tenantId", "ARM_TENANT_ID"),
    };
  }

  /** Sends a request and resolves with its response, whatever the status. */
  async send(method: HttpMethods, path: string, apiVersion: string, body?: Properties): Promise<ArmResponse> {
    const request = createPipelineRequest({
      method,
      url: `https://management.azure.com${path}?api-version=${apiVersion}`,
      headers: createHttpHeaders({
        authorization: `Bearer ${await this.#token()}`,
        "content-type": "application/json",
      }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { status, bodyAsText } = await this.#pipeline.sendRequest(this.#http, request);
    return { status, body: bodyAsText ? JSON.parse(bodyAsText) : {} };
  }

  /** Sends a request that must succeed. */
  async request(method: HttpMethods, path: string, apiVersion: string, body?: Properties): Promise<Properties> {
    const response = await this.send(method, path, apiVersion, body);
    if (response.status < 400) return response.body;
    const { code, message } = Object(response.body.error);
    throw new Error(`Status=${response.status} Code="${code}" Message="${message}"`);
  }

  #credential: ClientSecretCredential | undefined;

  async #token(): Promise<string> {
    this.#credential ??= new ClientSecretCredential(
      this.#setting("tenantId", "ARM_TENANT_ID"),
      this.#setting("clientId", "ARM_CLIENT_ID"),
      this.#setting("clientSecret", "ARM_CLIENT_SECRET"),
    );
    return (await this.#credential.getToken("https://management.azure.com/.default")).token;
  }
}
