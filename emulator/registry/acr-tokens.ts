import type { IncomingMessage } from "node:http";
import type { AcrAuthority, Identity } from "./acr-authority";
import { answering, basicCredentials, type Handler, readForm, sendJson, targetOf } from "./http";
import { RegistryError } from "./registry-error";
import { parseScopes } from "./scope";

type SignIn = Pick<
  AcrAuthority,
  "host" | "exchange" | "identityOfRefreshToken" | "identityOfPassword" | "anonymous" | "accessToken" | "refusal"
>;

/** `/oauth2/exchange` and `/oauth2/token` of an Azure container registry. */
export function acrTokens(authority: SignIn): Handler {
  return answering(async (request, response) => {
    const { path, query } = targetOf(request);
    if (path === "/oauth2/exchange" && request.method === "POST") {
      const form = await readForm(request);
      assertService(authority, form);
      if (form.get("grant_type") !== "access_token") throw badRequest("grant_type must be access_token");
      const refreshToken = authority.exchange(form.get("access_token") ?? "");
      if (refreshToken === undefined) throw authority.refusal();
      return sendJson(response, 200, { refresh_token: refreshToken });
    }
    if (path === "/oauth2/token") {
      const form = request.method === "POST" ? await readForm(request) : query;
      assertService(authority, form);
      const identity = request.method === "POST" ? fromForm(authority, form) : fromBasic(authority, request);
      if (identity === undefined) throw authority.refusal();
      return sendJson(response, 200, {
        access_token: authority.accessToken(identity, parseScopes(form.getAll("scope"))),
      });
    }
    throw new RegistryError(404, "NOT_FOUND", "no such endpoint");
  });
}

function assertService(authority: SignIn, form: URLSearchParams): void {
  if (form.get("service") !== authority.host) throw badRequest(`service must be ${authority.host}`);
}

function fromForm(authority: SignIn, form: URLSearchParams): Identity | undefined {
  switch (form.get("grant_type")) {
    case "refresh_token":
      return authority.identityOfRefreshToken(form.get("refresh_token") ?? "");
    case "password": {
      const username = form.get("username");
      // Without a user name this is how clients ask for anonymous access.
      return username ? authority.identityOfPassword(username, form.get("password") ?? "") : authority.anonymous();
    }
    default:
      throw badRequest("grant_type must be refresh_token or password");
  }
}

function fromBasic(authority: SignIn, request: IncomingMessage): Identity | undefined {
  if (request.headers.authorization === undefined) return authority.anonymous();
  const basic = basicCredentials(request);
  return basic && authority.identityOfPassword(basic.username, basic.password);
}

function badRequest(message: string): RegistryError {
  return new RegistryError(400, "UNSUPPORTED", message);
}
