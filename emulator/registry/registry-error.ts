import type { OutgoingHttpHeaders } from "node:http";

/** A refusal in the shape that the distribution specification gives to errors. */
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

/** What Azure Container Registry answers to any write, delete or read that a lock forbids. */
export function disallowedOperation(): RegistryError {
  return new RegistryError(
    405,
    "REGISTRY_DISALLOWED_OPERATION",
    "The operation is disallowed on this registry, repository or image. View troubleshooting steps at https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation",
    {},
  );
}
