/**
 * The three ways to name an Azure Container Registry.
 *
 * ```
 * registry     := resource ID | login server | name
 * resource ID  := "/subscriptions/" id "/resourceGroups/" group "/providers/Microsoft.ContainerRegistry/registries/" name
 * login server := label ".azurecr." domain | label "." region ".geo.azurecr." domain
 * label        := name [ "-" hash ]
 * name         := 5..50 × alphanum
 * ```
 *
 * The login server cannot be derived from the name: that of a registry with a domain name label contains a hash. A
 * regional endpoint leads to the same registry and is read as its login server.
 */
import { InvalidReference } from "./invalid-reference";
import { rejectOtherText } from "./plain-text";

/** An Azure registry as the user named it. */
export type RegistryName =
  | {
      readonly kind: "id";
      readonly id: string;
      readonly subscriptionId: string;
      readonly resourceGroup: string;
      readonly name: string;
    }
  | { readonly kind: "loginServer"; readonly loginServer: string }
  | { readonly kind: "name"; readonly name: string };

/** A container registry as Resource Manager and clients name it. */
export interface RegistryResource {
  /** ARM resource ID. */
  readonly id: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
  readonly loginServer: string;
}

const ID =
  /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.ContainerRegistry\/registries\/([^/]+)$/i;
const LOGIN_SERVER = /^([a-z0-9]{5,50}(?:-[a-z0-9]+)?)(?:\.[a-z0-9]+\.geo)?(\.azurecr(?:\.[a-z0-9-]+)+)$/;
const NAME = /^[a-z0-9]{5,50}$/i;

/** Parses any of the three. */
export function parseRegistryName(text: string): RegistryName {
  if (text === "")
    throw new InvalidReference("must not be empty: use the resource ID, login server or name of the registry");
  rejectOtherText(text);
  if (text.startsWith("/")) return parseId(text);
  if (/^subscriptions\//i.test(text))
    throw new InvalidReference("must start with a slash to be a resource ID: /subscriptions/…");
  if (text.endsWith("/")) throw new InvalidReference("must not end with a slash");
  if (text.includes("/")) throw new InvalidReference("must not contain a repository");
  return text.includes(".") ? parseLoginServer(text.replace(/:443$/, "")) : parseName(text);
}

function parseId(text: string): Extract<RegistryName, { kind: "id" }> {
  const [, subscriptionId, resourceGroup, name] = ID.exec(text) ?? [];
  if (!subscriptionId || !resourceGroup || !name) {
    throw new InvalidReference(
      "must be the resource ID of a container registry: /subscriptions/…/resourceGroups/…/providers/Microsoft.ContainerRegistry/registries/…",
    );
  }
  if (!NAME.test(name)) throw new InvalidReference("must end with a registry name of 5 to 50 letters and digits");
  return { kind: "id", id: text, subscriptionId, resourceGroup, name };
}

function parseLoginServer(text: string): RegistryName {
  const [, label, domain] = LOGIN_SERVER.exec(text.toLowerCase()) ?? [];
  if (!label || !domain) {
    throw new InvalidReference(
      "must be the login server of an Azure Container Registry, such as myregistry.azurecr.io",
    );
  }
  return { kind: "loginServer", loginServer: label + domain };
}

function parseName(text: string): RegistryName {
  if (!NAME.test(text)) throw new InvalidReference("must be a registry name of 5 to 50 letters and digits");
  return { kind: "name", name: text };
}

/** Completes what an ID says about a registry with its login server. */
export function toRegistryResource(id: string, loginServer: string): RegistryResource {
  const { subscriptionId, resourceGroup, name } = parseId(id);
  return { id, subscriptionId, resourceGroup, name, loginServer };
}

/** `name` as the user wrote it, for messages. */
export function printRegistryName(name: RegistryName): string {
  return name.kind === "id" ? name.id : name.kind === "loginServer" ? name.loginServer : name.name;
}

/** Whether a name, in whichever spelling, is that of the registry with this ID and login server. */
export function namesRegistry(
  name: RegistryName,
  { id, loginServer }: Pick<RegistryResource, "id" | "loginServer">,
): boolean {
  switch (name.kind) {
    case "id":
      return name.id.toLowerCase() === id.toLowerCase();
    case "loginServer":
      return name.loginServer === loginServer;
    case "name":
      return name.name.toLowerCase() === id.slice(id.lastIndexOf("/") + 1).toLowerCase();
  }
}
