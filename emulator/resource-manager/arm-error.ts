/** The errors of Resource Manager. */
import type { Principal } from "../entra/token-service";

/** An error response of Resource Manager. */
export class ArmError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
    readonly details: readonly { code: string; message: string }[] = [],
  ) {
    super(message);
  }

  /** The body of the response. */
  body(): object {
    const { code, message, details } = this;
    return { error: { code, message, ...(details.length > 0 ? { details } : {}) } };
  }
}

export function authorizationFailed(principal: Principal, action: string, scope: string): ArmError {
  const { clientId, objectId } = principal;
  return new ArmError(
    403,
    "AuthorizationFailed",
    `The client '${clientId}' with object id '${objectId}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );
}

/** The caller may act on the target, but not on the source that the body names by resource ID. */
export function linkedAuthorizationFailed(
  principal: Principal,
  action: string,
  scope: string,
  linkedAction: string,
  linkedScope: string,
): ArmError {
  const { clientId, objectId } = principal;
  return new ArmError(
    403,
    "LinkedAuthorizationFailed",
    `The client '${clientId}' with object id '${objectId}' has permission to perform action '${action}' on scope '${scope}'; however, it does not have permission to perform action '${linkedAction}' on the linked scope(s) '${linkedScope}' or the linked scope(s) are invalid.`,
  );
}

export function subscriptionNotFound(id: string): ArmError {
  return new ArmError(404, "SubscriptionNotFound", `The subscription '${id}' could not be found.`);
}

export function resourceGroupNotFound(name: string): ArmError {
  return new ArmError(404, "ResourceGroupNotFound", `Resource group '${name}' could not be found.`);
}

export function registryNotFound(name: string, resourceGroup: string): ArmError {
  return new ArmError(
    404,
    "ResourceNotFound",
    `The Resource 'Microsoft.ContainerRegistry/registries/${name}' under resource group '${resourceGroup}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}

/** 401 with the challenge that names the token service. */
export function unauthorized(login: string, tenantId: string, code: string, message: string): ArmError {
  const challenge = `Bearer authorization_uri="https://${login}/${tenantId}", error="invalid_token", error_description="${message}"`;
  return new ArmError(401, code, message, { "www-authenticate": challenge });
}
