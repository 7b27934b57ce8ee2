import * as pulumi from "@pulumi/pulumi";
import { Azure } from "./azure/azure";
import { azureSettings } from "./azure/settings";
import { DigestResolver } from "./resolve-digest";

/** What all resources of one run of a program share. */
export interface ProgramRun {
  readonly resolver: DigestResolver;
}

// With the Automation API one process runs a program many times, and each run must look again. Every run has an engine
// connection of its own, and keeps it until it ends.
const runs = new WeakMap<object, ProgramRun>();

/** The context of the run of the program that is going on. */
export function contextOfThisRun(): ProgramRun {
  const engine = pulumi.runtime.getEngine();
  if (engine === undefined) return newRun();
  const run = runs.get(engine) ?? newRun();
  runs.set(engine, run);
  return run;
}

function newRun(): ProgramRun {
  let azure: Azure | undefined;
  return {
    resolver: new DigestResolver(() => {
      azure ??= new Azure(azureSettings((key) => pulumi.runtime.getConfig(`azure-native:${key}`)));
      return azure;
    }),
  };
}
