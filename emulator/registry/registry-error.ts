/** The errors of registries. */
import type { OutgoingHttpHeaders } from "node:http";

/** An error response of a registry, in the format of the distribution specification. */
export class RegistryError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly detail?: unknown,
    readonly headers: Readonly<OutgoingHttpHeaders> = {},
  ) {
    super(message);
  }
}

/** The response of Azure Container Registry to a write, delete or read that a lock forbids. */
export function disallowedOperation(): RegistryError {
  return new RegistryError(
    405,
    "REGISTRY_DISALLOWED_OPERATION",
    "The operation is disallowed on this registry, repository or image. View troubleshooting steps at https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation",
    {},
  );
}

/** The response of Azure Container Registry to a pull by digest while the image is in quarantine. */
export function quarantined(): RegistryError {
  return new RegistryError(405, "IMAGE_QUARANTINED", "The image is quarantined.", {});
}
