/** S10: private registries outside Azure. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  createTar,
  type Handler,
  makeImage,
  RegistryStore,
  type TokenRegistryOptions,
  tokenRegistry,
} from "acr-emulator";
import { environment } from "../../../scripts/environment";
import { runOrFail } from "../../../scripts/process";
import { useEmulator } from "../../support/emulator";
import { registryAccount, startRegistry } from "../../support/registry";
import { startTokenService } from "../../support/token-service";
import { describeWithTools } from "../../support/tools";
import { declareImages } from "../programs";
import { Scenario } from "./scenario";

const closers: (() => void)[] = [];
const wrong = { ...registryAccount, password: "a wrong password" };

describeWithTools("S10 a private registry outside Azure:", ({ crane, registry }) => {
  const emulator = useEmulator();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "private-registries-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  /** Pushes a new image with crane, and returns its digest. */
  async function push(reference: string): Promise<string> {
    const layer = path.join(folder, `${randomUUID()}.tar`);
    await writeFile(layer, createTar("hello.txt", Buffer.from(randomUUID())));
    const env = environment(folder, { ...emulator.env, DOCKER_CONFIG: path.join(folder, ".docker") });
    const run = (...args: string[]) => runOrFail(crane, args, { env });
    const { username, password } = registryAccount;
    await run("auth", "login", reference.split("/", 1)[0] ?? "", "-u", username, "-p", password);
    await run("append", "--oci-empty-base", "--new_layer", layer, "--new_tag", reference);
    return (await run("digest", reference)).trim();
  }

  /** Imports with the right account, and fails with a wrong one or none. */
  async function expectImported(reference: string, digest: string): Promise<void> {
    const [host = ""] = reference.split("/", 1);
    const scenario = await Scenario.begin(emulator);
    const args = (credentials?: object) => ({
      registry: "myregistry",
      source: { image: reference, ...(credentials && { credentials }) },
      targetTags: [`s10/${host}:1`],
    });
    await scenario.refuses(`${host}: a wrong password`, args(wrong), {
      code: "SOURCE_CREDENTIALS_REJECTED",
      message: [`source: ${host} rejected the credentials`, "Check the user name in source.credentials"],
    });
    await scenario.refuses(`${host}: no credentials`, args(), {
      code: "SOURCE_ACCESS_DENIED",
      message: [`source: an anonymous client is not allowed to pull ${host}/`, "Pass source.credentials"],
    });
    const up = await scenario.works(args(registryAccount), digest);
    expect(JSON.stringify(up.events)).not.toContain(registryAccount.password);
  }

  test("a real server with basic authentication", async () => {
    const server = await startRegistry(registry, { auth: "basic" });
    await emulator.control.hosts({ "registry.example.com": server.url });
    await expectImported("registry.example.com/team/app:1", await push("registry.example.com/team/app:1"));
    expect(server.output()).toContain("AzureContainerRegistry/import");
  });

  test("a real server with a token server on another host", async () => {
    const tokens = await startTokenService("registry.token.example.com");
    closers.push(tokens.close);
    const realm = "https://auth.token.example.com/token";
    const server = await startRegistry(registry, { auth: { ...tokens, realm } });
    await emulator.control.hosts({ "registry.token.example.com": server.url, "auth.token.example.com": tokens.url });
    await expectImported("registry.token.example.com/team/app:1", await push("registry.token.example.com/team/app:1"));
    expect(server.output()).toContain("AzureContainerRegistry/import");
  });

  test("a private image with the challenges of GitHub and Harbor", async () => {
    // GitHub: token server on the same host, a placeholder scope in the challenge of /v2/, the token in the field `token`.
    const github = await serve(
      {
        realm: "https://ghcr.io/token",
        service: "ghcr.io",
        pingScope: "repository:user/image:pull",
        tokenField: "token",
      },
      "/token",
      "owner/app",
    );
    // Harbor: token server below a path, Basic accepted too, both challenges in one header.
    const harbor = await serve(
      {
        realm: "https://harbor.example.com/service/token",
        service: "harbor-registry",
        challenges: ["bearer", "basic"],
        joinChallenges: true,
      },
      "/service/token",
      "project/app",
    );
    await emulator.control.hosts({ "ghcr.io": github.url, "harbor.example.com": harbor.url });
    await expectImported("harbor.example.com/project/app:1", harbor.digest);

    const scenario = await Scenario.begin(emulator);
    const image = (tag: string, credentials: object) => ({
      registry: "myregistry",
      source: { image: "ghcr.io/owner/app:1", credentials },
      targetTags: [`s10/ghcr:${tag}`],
    });
    await scenario.refuses("ghcr.io: a wrong token", image("1", wrong), {
      code: "SOURCE_CREDENTIALS_REJECTED",
      message: ["source: ghcr.io rejected the credentials", "Check the user name in source.credentials"],
    });
    await scenario.project.write(declareImages({ one: image("1", registryAccount), two: image("2", registryAccount) }));
    const up = await scenario.project.up();
    expect([up.exitCode, up.changes]).toEqual([0, { create: 2 }]);
    expect(await emulator.control.digest("myregistry.azurecr.io/s10/ghcr:1")).toBe(github.digest);
  });
});

/** Starts a registry on loopback with one image for one account, and its token server below a path. */
async function serve(
  options: Pick<TokenRegistryOptions, "realm" | "service"> & Partial<TokenRegistryOptions>,
  tokenPath: string,
  repository: string,
): Promise<{ url: string; digest: string }> {
  const store = new RegistryStore();
  const { digest } = makeImage(store, repository, "1");
  const { registry, auth } = tokenRegistry({
    store,
    accounts: [registryAccount],
    allows: (account, action) => account !== undefined && action === "pull",
    ...options,
  });
  const handler: Handler = (req, res) => (req.url?.startsWith(tokenPath) ? auth(req, res) : registry(req, res));
  const server = http.createServer((req, res) => void handler(req, res));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  closers.push(() => server.close());
  return { url: `http://127.0.0.1:${port}`, digest };
}
