/** The OIDC issuer of GitHub Actions. */
import { randomUUID } from "node:crypto";
import { bearerToken, type Handler, requestTarget, sendJson } from "../registry/http";
import { SigningKey } from "./json-web-token";

export const githubIssuer = "https://token.actions.githubusercontent.com";
/** Host of `ACTIONS_ID_TOKEN_REQUEST_URL`, which issues the assertion of a workflow run. */
export const githubRequestHost = "run-actions-1-azure-eastus.actions.githubusercontent.com";
/** Value of `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
export const githubRequestToken = "actions-request-token";

const workflowSubject = "repo:emulator/deployments:ref:refs/heads/main";
const lifetimeSeconds = 300;

/** Issues assertions for workflow runs, as GitHub Actions does. */
export class OidcIssuer {
  readonly key = new SigningKey();

  assertion(claims: { audience: string; subject?: string; issuer?: string }): string {
    const now = Math.floor(Date.now() / 1000);
    return this.key.sign({
      jti: randomUUID(),
      iss: claims.issuer ?? githubIssuer,
      sub: claims.subject ?? workflowSubject,
      aud: claims.audience,
      iat: now,
      nbf: now,
      exp: now + lifetimeSeconds,
    });
  }

  /** The handler of the host that issues assertions to workflow runs. */
  requestHost(): Handler {
    return (req, res) => {
      const isRun = bearerToken(req) === githubRequestToken;
      const audience = requestTarget(req).query.get("audience") ?? "https://github.com/emulator";
      const value = isRun ? this.assertion({ audience }) : "";
      sendJson(res, isRun ? 200 : 401, isRun ? { count: value.length, value } : { message: "Unauthorized" });
    };
  }

  /** The handler of the issuer's own host: its metadata and keys. */
  issuerHost(): Handler {
    const documents: Readonly<Record<string, object>> = {
      "/.well-known/openid-configuration": { issuer: githubIssuer, jwks_uri: `${githubIssuer}/.well-known/jwks` },
      "/.well-known/jwks": this.key.keySet(),
    };
    return (req, res) => {
      const document = documents[requestTarget(req).path];
      sendJson(res, document ? 200 : 404, document ?? { message: "Not Found" });
    };
  }
}
