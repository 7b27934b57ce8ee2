/** Tests of images in quarantine: https://github.com/Azure/acr/blob/main/docs/preview/quarantine/readme.md */
import { randomUUID } from "node:crypto";
import { useEmulator } from "../support/emulator";
import { Caller, Client, registryId } from "./client";

const HOST = "quarantine.azurecr.io";
const running = useEmulator();
const client = new Client(running);
const caller = Caller.as(client);
let repository: string;

beforeEach(async () => {
  repository = `r${randomUUID()}`;
  await running.control.call("PUT", "/registries/quarantine", {}, { quarantinePolicy: "enabled" });
});
afterEach(() => running.control.call("DELETE", "/registries/quarantine"));

async function request(method: string, path: string, actions: string, body?: object) {
  const { ARM_CLIENT_ID: clientId } = running.env;
  const audience = "https://containerregistry.azure.net";
  const { token } = await running.control.call<{ token: string }>("POST", "/token", {}, { clientId, audience });
  const form = async (endpoint: string, fields: Record<string, string>) =>
    (await client.form(`https://${HOST}/oauth2/${endpoint}`, { service: HOST, ...fields })).json<
      Record<string, string>
    >();
  const { refresh_token = "" } = await form("exchange", { grant_type: "access_token", access_token: token });
  const scope = `repository:${repository}:${actions}`;
  const { access_token } = await form("token", { grant_type: "refresh_token", refresh_token, scope });
  const headers = {
    authorization: `Bearer ${access_token}`,
    accept: "application/vnd.oci.image.index.v1+json",
    "content-type": "application/json",
  };
  return client.request(`https://${HOST}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

const pull = async (reference: string) => {
  const response = await request("GET", `/v2/${repository}/manifests/${reference}`, "pull");
  return [response.status, response.json<{ errors?: { code: string }[] }>().errors?.[0]?.code];
};

test("an imported image is not found by its tag and disallowed by its digest, until it is marked as passed", async () => {
  const source = { registryUri: "docker.io", sourceImage: "library/hello-world:latest" };
  const body = { source, targetTags: [`${repository}:1`] };
  expect((await caller.import(body, registryId("quarantine"))).status).toBe(200);
  const { digest } = await running.control.image("docker.io/library/hello-world:latest");
  expect(await pull("1")).toEqual([404, "MANIFEST_UNKNOWN"]);
  expect(await pull(digest)).toEqual([405, "IMAGE_QUARANTINED"]);
  const mark = (quarantineState: string) =>
    request("PATCH", `/acr/v1/${repository}/_manifests/${digest}`, "metadata_write", { quarantineState });
  expect((await mark("Failed")).status).toBe(200);
  expect(await pull("1")).toEqual([404, "MANIFEST_UNKNOWN"]);
  expect((await mark("Passed")).json()).toMatchObject({
    manifest: { changeableAttributes: { quarantineState: "Passed" } },
  });
  expect(await pull("1")).toEqual([200, undefined]);
  expect(await pull(digest)).toEqual([200, undefined]);
});

test("the control API marks an image, and only a known state is accepted", async () => {
  const reference = `${HOST}/${repository}:1`;
  const { digest } = await running.control.moveTag(reference);
  await running.control.call(
    "PATCH",
    "/image",
    { reference: `${HOST}/${repository}@${digest}` },
    { quarantineState: "Passed" },
  );
  expect(await pull("1")).toEqual([200, undefined]);
  const path = `/acr/v1/${repository}/_manifests/${digest}`;
  expect((await request("PATCH", path, "metadata_write", { quarantineState: "Fine" })).status).toBe(400);
});

test("Resource Manager shows the policy and changes it", async () => {
  const policy = (status: string) => ({ properties: { policies: { quarantinePolicy: { status } } } });
  expect((await caller.get(registryId("quarantine"))).json()).toMatchObject(policy("enabled"));
  expect((await caller.send("PATCH", registryId("quarantine"), policy("disabled"))).json()).toMatchObject(
    policy("disabled"),
  );
  await running.control.moveTag(`${HOST}/${repository}:1`);
  expect(await pull("1")).toEqual([200, undefined]);
});
