/** The registry client against the registry server of the CNCF distribution project. */
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createTar } from "acr-emulator";
import { failureOf } from "../../provider/failure/failure";
import { RegistryClient, type RegistryCredential } from "../../provider/registry/client";
import { environment } from "../../scripts/environment";
import { runOrFail } from "../../scripts/process";
import { useEmulator } from "../support/emulator";
import { registryAccount, startRegistry } from "../support/registry";
import { startTokenService } from "../support/token-service";
import { describeWithTools } from "../support/tools";
import { trust } from "../support/trust";

const HOST = "registry.example.com";
const anonymous: RegistryCredential = { kind: "anonymous" };
const account: RegistryCredential = { kind: "password", ...registryAccount };
const wrong: RegistryCredential = { ...account, password: "wrong" };

describeWithTools("resolves an image that crane pushed to a real registry", ({ crane, registry }) => {
  const emulator = useEmulator();
  let folder: string;
  beforeAll(async () => {
    trust(readFileSync(emulator.server.ca, "utf8"));
    process.env.HTTPS_PROXY = emulator.server.proxy;
    folder = await mkdtemp(path.join(tmpdir(), "real-registry-"));
    await writeFile(path.join(folder, "layer.tar"), createTar("hello.txt", Buffer.from("hello")));
    await mkdir(path.join(folder, "docker"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Runs crane as its users do: by the public-looking name, over TLS. */
  const run = async (...args: string[]) => {
    const env = { ...emulator.env, DOCKER_CONFIG: path.join(folder, "docker") };
    return (await runOrFail(crane, args, { env: environment(folder, env) })).trim();
  };
  const logIn = (host: string) => {
    const auth = Buffer.from(`${registryAccount.username}:${registryAccount.password}`).toString("base64");
    return writeFile(path.join(folder, "docker", "config.json"), JSON.stringify({ auths: { [host]: { auth } } }));
  };
  const push = async (reference: string) => {
    await run("append", "--new_layer", path.join(folder, "layer.tar"), "--new_tag", reference);
    return run("digest", reference);
  };
  const client = (credential: RegistryCredential, host = HOST) =>
    new RegistryClient({ host, side: "source", credential, timeoutMs: 100_000 });
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => "no failure",
      (error) => failureOf(error)?.code,
    );

  test("without authentication", async () => {
    const { url } = await startRegistry(registry);
    await emulator.control.hosts({ "open.example.com": url });
    const digest = await push("open.example.com/team/app:1");
    await run("tag", "open.example.com/team/app:1", "2");
    const open = client(anonymous, "open.example.com");
    expect((await open.head("team/app", "1"))?.digest).toBe(digest);
    expect((await open.head("team/app", digest))?.digest).toBe(digest);
    expect((await open.manifest("team/app", "1"))?.bytes.toString()).toBe(
      await run("manifest", "open.example.com/team/app:1"),
    );
    expect(await open.listTags("team/app", 2)).toEqual([{ tag: "1" }, { tag: "2" }]);
    expect(await open.listTags("nobody/app", 2)).toBeUndefined();
    expect(await codeOf(open.listTags("team/app", 1))).toBe("SOURCE_TOO_MANY_TAGS");
    expect(await open.head("team/app", "3")).toBeUndefined();
    expect(await open.head("nobody/app", "1")).toBeUndefined();
  });

  test("with Basic authentication", async () => {
    const { url } = await startRegistry(registry, { auth: "basic" });
    await emulator.control.hosts({ [HOST]: url });
    await logIn(HOST);
    const digest = await push(`${HOST}/team/app:1`);
    expect((await client(account).head("team/app", "1"))?.digest).toBe(digest);
    expect(await codeOf(client(wrong).head("team/app", "1"))).toBe("SOURCE_CREDENTIALS_REJECTED");
    expect(await codeOf(client(anonymous).head("team/app", "1"))).toBe("SOURCE_ACCESS_DENIED");
  });

  test("with a token service on another host", async () => {
    const tokens = await startTokenService("registry.token.example.com");
    const { url } = await startRegistry(registry, {
      auth: { ...tokens, realm: "https://auth.token.example.com/token" },
    });
    await emulator.control.hosts({ "registry.token.example.com": url, "auth.token.example.com": tokens.url });
    await logIn("registry.token.example.com");
    const digest = await push("registry.token.example.com/team/app:1");
    const host = "registry.token.example.com";
    expect((await client(account, host).head("team/app", "1"))?.digest).toBe(digest);
    expect(await codeOf(client(wrong, host).head("team/app", "1"))).toBe("SOURCE_CREDENTIALS_REJECTED");
    expect(await codeOf(client(anonymous, host).head("team/app", "1"))).toBe("SOURCE_ACCESS_DENIED");
    tokens.close();
  });

  test("with one anonymous token for several repositories", async () => {
    const host = "registry.public.example.com";
    const names = ["team/one", "team/two", "team/three"];
    const tokens = await startTokenService(host, names);
    const { url } = await startRegistry(registry, {
      auth: { ...tokens, realm: "https://auth.public.example.com/token" },
    });
    await emulator.control.hosts({ [host]: url, "auth.public.example.com": tokens.url });
    await logIn(host);
    const digest = await push(`${host}/team/one:1`);
    for (const name of ["team/two", "team/three", "team/private"])
      await run("copy", `${host}/team/one:1`, `${host}/${name}:1`);

    tokens.asked.length = 0;
    const one = client(anonymous, host);
    const found = await Promise.all(names.map((name) => one.head(name, "1")));
    expect(found.map((image) => image?.digest)).toEqual([digest, digest, digest]);
    expect(tokens.asked).toEqual([names.map((name) => `repository:${name}:pull`)]);

    // The token for four repositories names three.
    const other = client(anonymous, host);
    const codes = await Promise.all([...names, "team/private"].map((name) => codeOf(other.head(name, "1"))));
    expect(codes).toEqual(["no failure", "no failure", "no failure", "SOURCE_ACCESS_DENIED"]);
    tokens.close();
  });
});
