import type { IncomingMessage } from "node:http";
import { type Handler, requestTarget, sendJson } from "../registry/http";
import { equalsIgnoreCase, type State } from "../state";
import type { TokenService } from "./token-service";

export const managedIdentityHost = "169.254.169.254";

/** The instance metadata service: a token for whoever runs on this machine. */
export function managedIdentity(state: State, tokens: TokenService): Handler {
  return (req, res) => {
    const answer = tokenFor(state, tokens, req);
    sendJson(res, "error" in answer ? 400 : 200, answer);
  };
}

function tokenFor(state: State, tokens: TokenService, req: IncomingMessage): object {
  const refuse = (error_description: string) => ({ error: "invalid_request", error_description });
  const { path, query } = requestTarget(req);
  if (path !== "/metadata/identity/oauth2/token") return refuse("Unknown path");
  if (req.headers.metadata === undefined) return refuse("Required metadata header not specified");
  const resource = query.get("resource");
  if (resource === null) return refuse("Missing parameter: resource");
  const wanted = query.get("client_id") ?? query.get("object_id");
  const identity = state.identities.find(
    ({ kind, clientId, objectId, systemAssigned }) =>
      kind === "managedIdentity" &&
      (wanted === null ? systemAssigned : equalsIgnoreCase(clientId, wanted) || equalsIgnoreCase(objectId, wanted)),
  );
  if (!identity) return refuse("Identity not found");

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
