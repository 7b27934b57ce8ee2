/** Starts real registries. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { environment } from "../../scripts/environment";
import { type Running, start } from "../../scripts/process";

/** The account of a registry started with `auth: "basic"`. */
export const registryAccount = { username: "reader", password: "a real password" };
const htpasswd = `${registryAccount.username}:$2b$04$r8cbRKUle2YiYVQrNl0Yauy0OB.tMkgYfN/FRnUBATJoQ4AyrtLQ6\n`;

/** The token server whose tokens the registry accepts: ES256, signed by a key of the set. */
export interface TokenAuth {
  /** URL of the token server in challenges. */
  realm: string;
  service: string;
  issuer: string;
  jwks: { keys: readonly object[] };
}

export interface RealRegistry {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly url: string;
  /** The output of the server, including its access log. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts a CNCF distribution registry on a free port with temporary storage; it ends with the test file at the latest. */
export async function startRegistry(
  command: string,
  options: { auth?: "none" | "basic" | TokenAuth } = {},
): Promise<RealRegistry> {
  const folder = await mkdtemp(path.join(tmpdir(), "registry-"));
  const configuration = {
    version: "0.1",
    log: { level: "info" },
    storage: { filesystem: { rootdirectory: path.join(folder, "data") }, delete: { enabled: true } },
    http: { addr: "127.0.0.1:0" },
    ...(await authentication(folder, options.auth ?? "none")),
  };
  // JSON is YAML.
  const file = path.join(folder, "config.yml");
  await writeFile(file, JSON.stringify(configuration));
  const running = start(command, ["serve", file], { env: environment(folder, { OTEL_TRACES_EXPORTER: "none" }) });
  const registry = { running, folder };
  open.add(registry);
  const listening = await running.line(/listening on 127\.0\.0\.1:\d+/);
  const host = listening.match(/127\.0\.0\.1:\d+/)?.[0] ?? "";
  return { host, url: `http://${host}`, output: running.output, stop: () => stop(registry) };
}

async function authentication(folder: string, auth: "none" | "basic" | TokenAuth): Promise<object> {
  if (auth === "none") return {};
  if (auth === "basic") {
    const file = path.join(folder, "htpasswd");
    await writeFile(file, htpasswd);
    return { auth: { htpasswd: { realm: "registry", path: file } } };
  }
  const { jwks, ...token } = auth;
  const file = path.join(folder, "jwks.json");
  await writeFile(file, JSON.stringify(jwks));
  return { auth: { token: { ...token, jwks: file, signingalgorithms: ["ES256"] } } };
}

interface Open {
  running: Running;
  folder: string;
}

const open = new Set<Open>();
afterAll(async () => {
  for (const registry of open) await stop(registry);
});

async function stop(registry: Open): Promise<void> {
  open.delete(registry);
  await registry.running.stop();
  await rm(registry.folder, { recursive: true, force: true });
}
