/** Tests of Entra: client secrets, certificates, workload identity federation, managed identities. */
import "reflect-metadata";
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import http from "node:http";
import * as x509 from "@peculiar/x509";
import { githubRequestHost, githubRequestToken } from "../../emulator/entra/oidc-issuer";
import { useEmulator } from "../support/emulator";
import { Caller, Client, type HttpResponse, subscription } from "./client";

const tenant = "11111111-1111-4111-8111-111111111111";
const otherTenant = "44444444-4444-4444-8444-444444444444";
const scope = "https://management.azure.com/.default";
const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const running = useEmulator();
const client = new Client(running);

function token(
  fields: Record<string, string>,
  where = tenant,
  login = "login.microsoftonline.com",
): Promise<HttpResponse> {
  return client.form(`https://${login}/${where}/oauth2/v2.0/token`, {
    grant_type: "client_credentials",
    client_id: running.env.ARM_CLIENT_ID ?? "",
    scope,
    ...fields,
  });
}

const secret = () => ({ client_secret: running.env.ARM_CLIENT_SECRET ?? "" });

function claimsOf(response: HttpResponse): Record<string, unknown> {
  const [, claims = ""] = response.json<{ access_token: string }>().access_token.split(".");
  return JSON.parse(Buffer.from(claims, "base64url").toString());
}

test("a client secret gets a token with identity, tenant, audience and expiry", async () => {
  const response = await token(secret());
  expect(response.status).toBe(200);
  expect(response.json()).toMatchObject({ token_type: "Bearer", expires_in: 3599, ext_expires_in: 3599 });
  expect(claimsOf(response)).toMatchObject({
    aud: "https://management.azure.com",
    tid: tenant,
    oid: "aaaaaaaa-0000-4000-8000-00000000000f",
    appid: running.env.ARM_CLIENT_ID,
  });
});

test.each([
  "https://management.core.windows.net//.default",
  "https://management.azure.com//.default",
  "https://containerregistry.azure.net/.default",
])("scope %s is known", async (scope) => {
  expect((await token({ ...secret(), scope })).status).toBe(200);
});

test.each([
  ["a wrong secret", { client_secret: "wrong" }, tenant, 401, "invalid_client", 7000215],
  ["no credential at all", {}, tenant, 401, "invalid_client", 7000218],
  [
    "an application of another tenant",
    { client_secret: "deployer~secret" },
    otherTenant,
    400,
    "unauthorized_client",
    700016,
  ],
  ["an unknown tenant", { client_secret: "deployer~secret" }, randomUUID(), 400, "invalid_request", 90002],
  [
    "a resource that Entra does not know",
    { client_secret: "deployer~secret", scope: "https://x.example/.default" },
    tenant,
    400,
    "invalid_resource",
    500011,
  ],
  ["another grant", { grant_type: "password" }, tenant, 400, "unsupported_grant_type", 70003],
])("%s is refused", async (_case, fields, where, status, error, code) => {
  const response = await token(fields, where);
  expect(response.status).toBe(status);
  expect(response.json()).toMatchObject({ error, error_codes: [code] });
  expect(response.json<{ error_description: string }>().error_description).toMatch(new RegExp(`^AADSTS${code}: `));
});

test("a tenant of the public cloud is unknown in another cloud", async () => {
  expect((await token(secret(), tenant, "login.microsoftonline.us")).json()).toMatchObject({ error_codes: [90002] });
});

test("discovery documents have the endpoints of the tenant", async () => {
  const byName = await client.request(
    "https://login.microsoftonline.com/emulator.onmicrosoft.com/v2.0/.well-known/openid-configuration",
  );
  const document = byName.json<{ token_endpoint: string; jwks_uri: string }>();
  expect(document.token_endpoint).toBe(`https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`);
  expect((await client.request(document.jwks_uri)).json()).toMatchObject({ keys: [{ kty: "EC" }] });
  const instances = await client.request(
    `https://login.microsoftonline.com/common/discovery/instance?api-version=1.1&authorization_endpoint=https%3A%2F%2Flogin.microsoftonline.com%2F${tenant}%2Foauth2%2Fv2.0%2Fauthorize`,
  );
  expect(instances.json()).toMatchObject({ metadata: [{ aliases: ["login.microsoftonline.com"] }, {}, {}] });
});

describe("certificates", () => {
  const clientId = randomUUID();
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });

  function assertion(claims: Record<string, unknown> = {}, key = rsa.privateKey): string {
    const now = Math.floor(Date.now() / 1000);
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const aud = `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`;
    const body = { iss: clientId, sub: clientId, aud, exp: now + 300, ...claims };
    const signed = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(body)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
  }

  const request = (client_assertion: string) =>
    token({ client_id: clientId, client_assertion, client_assertion_type: jwtBearer });

  beforeAll(async () => {
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const pkcs8 = rsa.privateKey.export({ type: "pkcs8", format: "der" });
    const spki = rsa.publicKey.export({ type: "spki", format: "der" });
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: "CN=deployer",
      signingAlgorithm: algorithm,
      keys: {
        privateKey: await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, ["sign"]),
        publicKey: await crypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]),
      },
    });
    const identity = { tenantId: tenant, clientId, objectId: randomUUID(), name: "by certificate" };
    await running.control.call(
      "PUT",
      "/state",
      {},
      { identities: [{ ...identity, certificates: [certificate.toString("pem")] }] },
    );
  });

  test("accepts an assertion that is signed with the certificate's key", async () => {
    expect((await request(assertion())).status).toBe(200);
  });

  test.each([
    ["another key", () => assertion({}, generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey), 700027],
    ["another audience", () => assertion({ aud: "https://example.com" }), 700023],
    ["a time that is over", () => assertion({ exp: 1 }), 700024],
    ["no form of a token", () => "x", 50027],
  ])("rejects an assertion with %s", async (_case, make, code) => {
    expect((await request(make())).json()).toMatchObject({ error: "invalid_client", error_codes: [code] });
  });
});

describe("workload identity federation", () => {
  const request = (client_assertion: string) => token({ client_assertion, client_assertion_type: jwtBearer });
  const requestUrl = `https://${githubRequestHost}/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange`;

  test("a workflow run gets an assertion from its request URL, and a token for it", async () => {
    const headers = { authorization: `bearer ${githubRequestToken}` };
    const { value } = (await client.request(requestUrl, { headers })).json<{ value: string }>();
    expect((await request(value)).status).toBe(200);
  });

  test("the request URL requires its own token", async () => {
    expect((await client.request(requestUrl, { headers: { authorization: "bearer wrong" } })).status).toBe(401);
  });

  test.each([
    [{ issuer: "https://issuer.example" }, 700211],
    [{ subject: "repo:somebody/else:ref:refs/heads/main" }, 700213],
    [{ audience: "https://example.com" }, 700212],
  ])("rejects an assertion with %j", async (claims, code) => {
    const { assertion } = await running.control.call<{ assertion: string }>("POST", "/assertion", {}, claims);
    expect((await request(assertion)).json()).toMatchObject({ error_codes: [code] });
  });

  test("rejects an assertion whose claims were changed", async () => {
    const { assertion } = await running.control.call<{ assertion: string }>("POST", "/assertion", {}, {});
    const [header, claims, signature = ""] = assertion.split(".");
    const forged = [header, claims, createHash("sha512").update(signature).digest("base64url")].join(".");
    expect((await request(forged)).json()).toMatchObject({ error_codes: [5000813] });
  });
});

describe("managed identity", () => {
  function metadata(
    query: string,
    headers: http.OutgoingHttpHeaders = { metadata: "true" },
  ): Promise<[number, string]> {
    const { hostname: host, port } = new URL(running.server.proxy);
    const path = `http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&${query}`;
    return new Promise((resolve, reject) => {
      const request = http.get({ host, port, path, headers, agent: false }, async (response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        resolve([response.statusCode ?? 0, text]);
      });
      request.on("error", reject);
    });
  }

  test("the system-assigned identity gets a token that Resource Manager accepts", async () => {
    const [status, text] = await metadata("resource=https://management.azure.com/");
    expect(status).toBe(200);
    const { access_token, expires_on } = JSON.parse(text) as Record<string, string>;
    expect(Number(expires_on)).toBeGreaterThan(Date.now() / 1000);
    expect((await new Caller(client, access_token ?? "").get(subscription)).status).toBe(200);
  });

  test("rejects a request without the Metadata header, and one for an unknown identity", async () => {
    expect(await metadata("resource=x", {})).toEqual([400, expect.stringContaining("metadata header")]);
    expect(await metadata(`resource=x&client_id=${randomUUID()}`)).toEqual([
      400,
      expect.stringContaining("Identity not found"),
    ]);
  });
});

test("tokens expire by time, and all at once by the control API", async () => {
  await running.control.call("PUT", "/settings", {}, { tokenLifetimeSeconds: 0 });
  const short = (await token(secret())).json<{ access_token: string }>().access_token;
  await running.control.call("PUT", "/settings", {}, { tokenLifetimeSeconds: 3599 });
  const long = (await token(secret())).json<{ access_token: string }>().access_token;
  const statusOf = async (value: string) => (await new Caller(client, value).get(subscription)).status;
  expect([await statusOf(short), await statusOf(long)]).toEqual([401, 200]);
  await running.control.call("POST", "/token/expire");
  expect(await statusOf(long)).toBe(401);
});
