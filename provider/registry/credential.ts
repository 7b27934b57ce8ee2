/** How a client identifies itself to a registry. */
export type RegistryCredential =
  | { readonly kind: "anonymous" }
  /** User and password or access token, service principal, repository-scoped token; or a token without a user. */
  | { readonly kind: "password"; readonly username?: string; readonly password: string }
  /** An Entra access token, for the hosts that Azure confirms to be registries. */
  | {
      readonly kind: "entra";
      readonly token: (signal?: AbortSignal) => Promise<string>;
      /** The owner of the token, for messages. */
      readonly identity?: string;
    };

/** The user name with which Azure registries accept their own tokens as passwords. */
const AZURE_TOKEN_USER = "00000000-0000-0000-0000-000000000000";

/** Names the client in a message. */
export function describeIdentity(credential: RegistryCredential): string {
  switch (credential.kind) {
    case "anonymous":
      return "an anonymous client";
    case "entra":
      return credential.identity ?? "the Azure identity of this run";
    case "password":
      return credential.username === undefined
        ? "the holder of the given token"
        : `user ${JSON.stringify(credential.username)}`;
  }
}

/** The credentials of the Basic scheme, https://www.rfc-editor.org/rfc/rfc7617#section-2; none for the other kinds. */
export function basicCredentials(credential: RegistryCredential): string | undefined {
  if (credential.kind !== "password") return undefined;
  const { username = AZURE_TOKEN_USER, password } = credential;
  return Buffer.from(`${username}:${password}`).toString("base64");
}
