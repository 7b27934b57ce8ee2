/** Registries that try to obtain credentials. */
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { startTestEmulator } from "../../support/emulator";
import { Scenario } from "./scenario";

const credentials = { username: "visitor", password: "a secret of mine" };
const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64");

/** A server that records everything that it receives. */
interface HostileServer {
  readonly url: string;
  readonly heard: string[];
}

const closers: (() => void)[] = [];
afterAll(() => {
  for (const close of closers) close();
});

test("hostile registries get no secret: foreign realm, redirect, look-alike of an Azure registry", async () => {
  const scenario = await Scenario.begin(await startTestEmulator());
  const { control } = scenario;
  const collector = await startHostileServer((_, response) =>
    response.end(JSON.stringify({ token: "thanks", access_token: "thanks" })),
  );
  const evil = "collector.evil.example";

  // A registry whose challenge names a foreign token server.
  const realm = await startHostileServer((_, response) =>
    response.writeHead(401, { "www-authenticate": `Bearer realm="https://${evil}/token",service="x"` }).end(),
  );
  await control.hosts({ "registry.hostile.example": realm.url, [evil]: collector.url });
  const image = (source: unknown) => ({ registry: "myregistry", source, targetTags: ["hostile:1"] });
  await scenario.refuses(
    "a token realm of somebody else",
    image({ image: "registry.hostile.example/app:1", credentials }),
    {
      code: "SOURCE_TOKEN_SERVER_UNTRUSTED",
      message: ["source: registry.hostile.example", `https://${evil}`, "No credentials were sent"],
      never: [basic],
    },
  );
  expect(collector.heard).toEqual([]);
  expect(realm.heard.join()).not.toContain(basic);

  // A registry that takes the password and redirects to a foreign host.
  const redirect = await startHostileServer((request, response) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    } else response.writeHead(307, { location: `https://${evil}${request.url}` }).end();
  });
  await control.hosts({ "registry.redirect.example": redirect.url });
  await scenario.refuses(
    "a redirect to somebody else",
    image({ image: "registry.redirect.example/app:1", credentials }),
    {
      code: "SOURCE_INVALID_RESPONSE",
      message: ["source: ", "returned an unexpected response"],
      never: [basic],
    },
  );
  expect(redirect.heard.join()).toContain(basic);
  expect(collector.heard.join()).not.toMatch(/authorization|a secret|Basic/i);

  // Hosts that look like Azure registries, as source and as target.
  const lookAlike = "myregistry.azurecr.io.evil.example";
  const fake = await startHostileServer((request, response) => {
    const challenge = `Bearer realm="https://${lookAlike}/oauth2/token",service="${lookAlike}"`;
    if (request.url?.startsWith("/oauth2/")) response.end(JSON.stringify({ refresh_token: "r", access_token: "a" }));
    else response.writeHead(401, { "www-authenticate": challenge }).end();
  });
  await control.hosts({ [lookAlike]: fake.url });
  for (const [way, source] of [
    ["a look-alike of an Azure registry", `${lookAlike}/app:1`],
    ["a look-alike of an Azure registry as source.registry", { image: "app:1", registry: lookAlike }],
  ] as const) {
    await scenario.refuses(way, image(source), {
      code: "SOURCE_ACCESS_DENIED",
      message: [`source: an anonymous client is not allowed to pull ${lookAlike}/app`],
    });
  }
  await scenario.refuses(
    "a look-alike of an Azure registry as target",
    { ...image("docker.io/library/hello-world:latest"), registry: lookAlike },
    { code: "REGISTRY_NOT_FOUND", message: [`target: registry ${lookAlike} is not visible to`, "searched"] },
  );
  expect(fake.heard.length).toBeGreaterThan(0);
  // No Entra token, recognizable by the start of a JSON web token, and no attempt to exchange one.
  expect(fake.heard.join()).not.toMatch(/eyJ|exchange|refresh_token|access_token=/);
});

/** Starts a server that records the head and body of each request. */
async function startHostileServer(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<HostileServer> {
  const heard: string[] = [];
  const server = http.createServer(async (request, response) => {
    heard.push([request.method, request.url, ...request.rawHeaders, await text(request)].join("\n"));
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  closers.push(() => server.close());
  return { url: `http://127.0.0.1:${port}`, heard };
}
