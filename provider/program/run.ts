/** Shares connections, tokens and resolved digests among the resources of one run of a program. */
import * as pulumi from "@pulumi/pulumi";
import { Azure } from "../azure/azure";
import { azureSettings } from "../azure/settings";
import { DigestResolver } from "../source/resolve-digest";

// The Automation API runs programs many times in one process, and each run must read its digests again. Each run has an
// engine connection of its own, which it keeps until it ends.
const resolvers = new WeakMap<object, DigestResolver>();

/** The resolver that all resources of the current run share. */
export function sharedResolver(): DigestResolver {
  const engine = pulumi.runtime.getEngine();
  if (engine === undefined) return newResolver();
  const resolver = resolvers.get(engine) ?? newResolver();
  resolvers.set(engine, resolver);
  return resolver;
}

function newResolver(): DigestResolver {
  let azure: Azure | undefined;
  const log = (message: string) => void pulumi.log.info(message);
  const settings = () => azureSettings((key) => pulumi.runtime.getConfig(`azure-native:${key}`));
  return new DigestResolver(() => {
    azure ??= new Azure(settings(), log);
    return azure;
  }, log);
}
