import * as pulumi from "@pulumi/pulumi";
import { Azure } from "../azure/azure";
import { azureSettings } from "../azure/settings";
import { DigestResolver } from "./resolve-digest";

// With the Automation API one process runs a program many times, and each run must look again. Every run has an engine
// connection of its own, and keeps it until it ends.
const resolvers = new WeakMap<object, DigestResolver>();

/** What all resources of the run of the program that is going on share: connections, tokens and findings. */
export function sharedResolver(): DigestResolver {
  const engine = pulumi.runtime.getEngine();
  if (engine === undefined) return newResolver();
  const resolver = resolvers.get(engine) ?? newResolver();
  resolvers.set(engine, resolver);
  return resolver;
}

function newResolver(): DigestResolver {
  let azure: Azure | undefined;
  const settings = () => azureSettings((key) => pulumi.runtime.getConfig(`azure-native:${key}`));
  return new DigestResolver(
    () => {
      azure ??= new Azure(settings());
      return azure;
    },
    (sentence) => void pulumi.log.info(sentence),
  );
}
