/** The `WWW-Authenticate` challenges of registries. */
import { RegistryError } from "./registry-error";
import { type Access, printScope } from "./scope";

/** A challenge of the Bearer scheme. */
export function bearerChallenge(fields: {
  realm: string;
  service: string;
  scope?: Access | string | undefined;
  error?: string;
}): string {
  const { realm, service, scope, error } = fields;
  const parts = [`realm="${realm}"`, `service="${service}"`];
  if (scope !== undefined) parts.push(`scope="${typeof scope === "string" ? scope : printScope(scope)}"`);
  if (error !== undefined) parts.push(`error="${error}"`);
  return `Bearer ${parts.join(",")}`;
}

/** 401 with one `WWW-Authenticate` line per challenge. */
export function unauthorized(message: string, challenges: string[], detail?: unknown): RegistryError {
  const headers = challenges.length > 0 ? { "www-authenticate": challenges } : {};
  return new RegistryError(401, "UNAUTHORIZED", message, detail, headers);
}
