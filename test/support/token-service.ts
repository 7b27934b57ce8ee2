/** A token server for real registries. */
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { registryAccount, type TokenAuth } from "./registry";

export interface RunningTokenService extends Omit<TokenAuth, "realm"> {
  readonly url: string;
  /** The scopes of each token request. */
  readonly asked: string[][];
  close(): void;
}

/** Starts a token server that grants `registryAccount` every scope, and anonymous clients to pull from public repositories. */
export async function startTokenService(
  service: string,
  publicRepositories: readonly string[] = [],
): Promise<RunningTokenService> {
  const asked: string[][] = [];
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const kid = "test";
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const server = http.createServer(({ url = "", headers }, response) => {
    const query = new URL(url, "http://localhost").searchParams;
    const basic = Buffer.from(headers.authorization?.slice("Basic ".length) ?? "", "base64").toString();
    const known = basic === `${registryAccount.username}:${registryAccount.password}`;
    if (basic !== "" && !known) return response.writeHead(401).end("{}");
    asked.push(query.getAll("scope"));
    const access = query.getAll("scope").map((scope) => {
      const [type, name = "", actions = ""] = scope.split(":");
      const isPublic = publicRepositories.includes(name);
      return { type, name, actions: actions.split(",").filter((action) => known || (isPublic && action === "pull")) };
    });
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: "test",
      sub: "",
      aud: query.get("service"),
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access,
    };
    const signed = `${part({ typ: "JWT", alg: "ES256", kid })}.${part(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
    return response.end(JSON.stringify({ token: `${signed}.${signature.toString("base64url")}` }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    service,
    issuer: "test",
    jwks: { keys: [{ ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" }] },
    close: () => server.close(),
  };
}
