/** The token service of an Azure container registry: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md */
import type { IncomingMessage } from "node:http";
import type { AcrAuthority, RegistryClient } from "./acr-authority";
import { basicCredentials, type Handler, readForm, requestTarget, sendJson, withErrorResponses } from "./http";
import { RegistryError } from "./registry-error";
import { parseScopes } from "./scope";

type TokenAuthority = Pick<
  AcrAuthority,
  | "host"
  | "exchange"
  | "clientOfRefreshToken"
  | "clientOfPassword"
  | "anonymousClient"
  | "issueAccessToken"
  | "unauthorizedError"
>;

/** The handler of `/oauth2/exchange` and `/oauth2/token`. */
export function acrTokens(authority: TokenAuthority): Handler {
  return withErrorResponses(async (request, response) => {
    const { path, query } = requestTarget(request);
    if (path === "/oauth2/exchange" && request.method === "POST") {
      const form = await readForm(request);
      requireService(authority, form);
      if (form.get("grant_type") !== "access_token") throw badRequest("grant_type must be access_token");
      const refreshToken = authority.exchange(form.get("access_token") ?? "");
      if (refreshToken === undefined) throw authority.unauthorizedError();
      return sendJson(response, 200, { refresh_token: refreshToken });
    }
    if (path === "/oauth2/token") {
      const form = request.method === "POST" ? await readForm(request) : query;
      requireService(authority, form);
      const identity =
        request.method === "POST" ? clientFromForm(authority, form) : clientFromBasic(authority, request);
      if (identity === undefined) throw authority.unauthorizedError();
      return sendJson(response, 200, {
        access_token: authority.issueAccessToken(identity, parseScopes(form.getAll("scope"))),
      });
    }
    throw new RegistryError(404, "NOT_FOUND", "no such endpoint");
  });
}

function requireService(authority: TokenAuthority, form: URLSearchParams): void {
  if (form.get("service") !== authority.host) throw badRequest(`service must be ${authority.host}`);
}

function clientFromForm(authority: TokenAuthority, form: URLSearchParams): RegistryClient | undefined {
  switch (form.get("grant_type")) {
    case "refresh_token":
      return authority.clientOfRefreshToken(form.get("refresh_token") ?? "");
    case "password": {
      const username = form.get("username");
      // Clients request an anonymous token with an empty user name.
      return username ? authority.clientOfPassword(username, form.get("password") ?? "") : authority.anonymousClient();
    }
    default:
      throw badRequest("grant_type must be refresh_token or password");
  }
}

function clientFromBasic(authority: TokenAuthority, request: IncomingMessage): RegistryClient | undefined {
  if (request.headers.authorization === undefined) return authority.anonymousClient();
  const basic = basicCredentials(request);
  return basic && authority.clientOfPassword(basic.username, basic.password);
}

function badRequest(message: string): RegistryError {
  return new RegistryError(400, "UNSUPPORTED", message);
}
