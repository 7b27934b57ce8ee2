/** Registries that respond in unusual ways: what a person sees. Each test names the public reports of other tools. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { type Handler, makeImage, RegistryStore, type TokenRegistryOptions, tokenRegistry } from "acr-emulator";
import { useEmulator } from "../../support/emulator";
import { registryAccount } from "../../support/registry";
import { Scenario } from "./scenario";

const closers: (() => void)[] = [];
afterAll(() => {
  for (const close of closers) close();
});

describe("odd registries:", () => {
  const emulator = useEmulator();
  const image = (source: unknown, tag: string) => ({ registry: "myregistry", source, targetTags: [tag] });

  // https://github.com/containerd/containerd/issues/6684, https://github.com/moby/moby/issues/45333
  test("one that refuses HEAD and offers several schemes is imported from, with credentials", async () => {
    const host = "head.odd.example";
    const registry = tokens({ realm: `https://${host}/token`, challenges: ["bearer", "basic"], joinChallenges: true });
    await emulator.control.hosts({
      [host]: await listen((request, response) => {
        if (request.method === "HEAD") return void response.writeHead(403).end();
        return registry.handler(request, response);
      }),
    });
    const scenario = await Scenario.begin(emulator);
    const source = { image: `${host}/team/app:1`, credentials: registryAccount };
    await scenario.works(image(source, "odd/head:1"), registry.digest);
  });

  // https://github.com/external-secrets/external-secrets/issues/5611
  test("one that redirects to another one is named with the image there", async () => {
    const host = "oci.odd.example";
    const registry = tokens({ realm: "https://store.odd.example/token", allows: () => true });
    await emulator.control.hosts({
      [host]: await listen((request, response) =>
        response.writeHead(301, { location: `https://store.odd.example${request.url}` }).end(),
      ),
      "store.odd.example": await listen(registry.handler),
    });
    const scenario = await Scenario.begin(emulator);
    await scenario.refuses("a redirect to another registry", image(`${host}/team/app:1`, "odd/vanity:1"), {
      code: "SOURCE_ACCESS_DENIED",
      message: [
        `source: ${host} redirects to store.odd.example, which does not respond without a token of its own`,
        "Hint: Use store.odd.example/team/app:1 instead",
      ],
    });
    await scenario.works(image("store.odd.example/team/app:1", "odd/vanity:1"), registry.digest);
  });

  // https://github.com/apple/container/issues/2268, https://github.com/google/go-containerregistry/issues/2196
  test("one with a token server on another domain gets no credentials, and the ways that the hint names work", async () => {
    const host = "registry.odd.example";
    const registry = tokens({ realm: "https://login.odd.test/token" });
    const url = await listen(registry.handler);
    await emulator.control.hosts({ [host]: url, "login.odd.test": url });
    const scenario = await Scenario.begin(emulator);
    const source = { image: `${host}/team/app:1`, credentials: registryAccount };
    await scenario.refuses("a token server on another domain", image(source, "odd/domain:1"), {
      code: "SOURCE_TOKEN_SERVER_UNTRUSTED",
      message: [
        `source: ${host} delegates authentication to https://login.odd.test`,
        "No credentials were sent",
        'set source.digestFrom: "target" or pin the digest',
      ],
    });
    await scenario.works(image({ ...source, digestFrom: "target" }, "odd/domain:1"), registry.digest);
    const pinned = { ...source, image: `${host}/team/app@${registry.digest}` };
    await scenario.works(image(pinned, "odd/domain:2"), registry.digest);
  });

  // https://github.com/Finsys/dockhand/issues/1428
  test("one that names its token server without TLS gets no credentials", async () => {
    const host = "plain.odd.example";
    await emulator.control.hosts({ [host]: await listen(tokens({ realm: `http://${host}/token` }).handler) });
    const scenario = await Scenario.begin(emulator);
    const source = { image: `${host}/team/app:1`, credentials: registryAccount };
    await scenario.refuses("a token server without TLS", image(source, "odd/plain:1"), {
      code: "SOURCE_TOKEN_SERVER_UNTRUSTED",
      message: [
        `source: ${host} delegates authentication to http://${host}, an address without TLS`,
        "X-Forwarded-Proto",
      ],
    });
  });

  // https://github.com/Azure/acr/issues/476, https://github.com/renovatebot/renovate/issues/21365
  test("Docker Hub refuses what it does not have, and the failure names what was meant", async () => {
    const scenario = await Scenario.begin(emulator);
    await scenario.refuses("a misspelt image", image("docker.io/library/hello-wrold:latest", "odd/hub:1"), {
      code: "SOURCE_ACCESS_DENIED",
      message: ["Docker Hub among them, respond in the same way when the image does not exist"],
    });
    const misplaced = "docker.io/mcr.microsoft.com/windows/servercore:ltsc2019";
    await scenario.refuses("a host within Docker Hub", image(misplaced, "odd/hub:1"), {
      code: "SOURCE_ACCESS_DENIED",
      message: [`Hint: Use mcr.microsoft.com/windows/servercore:ltsc2019, not ${misplaced}`],
    });
  });

  // https://github.com/quay/quay/issues/1310
  test("one without Docker-Content-Digest is resolved, and the failure says that Azure needs the header", async () => {
    const host = "digest.odd.example";
    const registry = tokens({ realm: `https://${host}/token`, omitDigestHeader: true });
    await emulator.control.hosts({ [host]: await listen(registry.handler) });
    const scenario = await Scenario.begin(emulator);
    const source = { image: `${host}/team/app:1`, credentials: registryAccount };
    await scenario.refuses("no Docker-Content-Digest", image(source, "odd/digest:1"), {
      code: "SOURCE_INVALID_RESPONSE",
      message: [`source: ${host} sends no valid Docker-Content-Digest header, which the Azure import service needs`],
    });
  });
});

/** A registry with `team/app:1`, and its token server under `/token`. */
function tokens(options: Pick<TokenRegistryOptions, "realm"> & Partial<TokenRegistryOptions>) {
  const store = new RegistryStore();
  const { digest } = makeImage(store, "team/app", "1");
  const { registry, auth } = tokenRegistry({
    store,
    service: "odd",
    accounts: [registryAccount],
    allows: (account, action) => account !== undefined && action === "pull",
    ...options,
  });
  const handler: Handler = (request, response) =>
    request.url?.startsWith("/token") ? auth(request, response) : registry(request, response);
  return { digest, handler };
}

/** Serves on loopback until the tests of this file are done. */
async function listen(handler: (...args: Parameters<Handler>) => unknown): Promise<string> {
  const server = http.createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
