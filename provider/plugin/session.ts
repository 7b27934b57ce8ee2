/** What the resources of one plugin process share: the identity, connections, tokens and digests. */
import { Azure } from "../azure/azure";
import { azureSettings } from "../azure/settings";
import { DigestResolver } from "../source/resolve-digest";
import { informOnce } from "./progress";

let configuration: (key: string) => string | undefined = () => undefined;
let session: Azure | undefined;
let resolver: DigestResolver | undefined;

/** Receives the stack's configuration; called before anything else, once for each type of resource. */
export function useConfiguration(get: (key: string) => string | undefined): void {
  configuration = get;
}

/** Azure for this process: one identity, each registry looked up once. */
export function azure(): Azure {
  session ??= new Azure(
    azureSettings((key) => configuration(`azure-native:${key}`)),
    informOnce,
  );
  return session;
}

/** Reads source registries. */
export function reader(): DigestResolver {
  resolver ??= new DigestResolver(azure);
  return resolver;
}
