/** The instance metadata service, which issues tokens for managed identities. */
import type { IncomingMessage } from "node:http";
import { type Handler, requestTarget, sendJson } from "../registry/http";
import { equalsIgnoreCase, type State } from "../state";
import type { TokenService } from "./token-service";

export const managedIdentityHost = "169.254.169.254";

/** The handler of the instance metadata service. */
export function managedIdentity(state: State, tokens: TokenService): Handler {
  return (req, res) => {
    const body = tokenFor(state, tokens, req);
    sendJson(res, "error" in body ? 400 : 200, body);
  };
}

function tokenFor(state: State, tokens: TokenService, req: IncomingMessage): object {
  const fail = (error_description: string) => ({ error: "invalid_request", error_description });
  const { path, query } = requestTarget(req);
  if (path !== "/metadata/identity/oauth2/token") return fail("Unknown path");
  if (req.headers.metadata === undefined) return fail("Required metadata header not specified");
  const resource = query.get("resource");
  if (resource === null) return fail("Missing parameter: resource");
  const id = query.get("client_id") ?? query.get("object_id");
  const identity = state.identities.find(
    ({ kind, clientId, objectId, systemAssigned }) =>
      kind === "managedIdentity" &&
      (id === null ? systemAssigned : equalsIgnoreCase(clientId, id) || equalsIgnoreCase(objectId, id)),
  );
  if (!identity) return fail("Identity not found");

  const { token, expiresIn } = tokens.issue(identity, resource);
  const now = Math.floor(Date.now() / 1000);
  return {
    access_token: token,
    client_id: identity.clientId,
    expires_in: String(expiresIn),
    expires_on: String(now + expiresIn),
    ext_expires_in: String(expiresIn),
    not_before: String(now),
    resource,
    token_type: "Bearer",
  };
}
