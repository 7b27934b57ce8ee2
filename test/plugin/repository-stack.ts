/** A stack of `ImportedRepository` resources that drives the plugin process as the engine does. */
import { useEmulator } from "../support/emulator";
import type { TestEmulator } from "../support/emulator";
import type { Properties } from "../support/plugin";
import { type Declaration, loginServer, publish, Stack } from "./stack";

const provider = 'exports.handler = () => require("pulumi-acr-import/provider/repository");';

/** A stack whose resources are all `ImportedRepository`. `check` reads the source: nothing is looked up before. */
export class RepositoryStack extends Stack {
  constructor(emulator: TestEmulator, neighbour?: Stack) {
    super(emulator, { provider }, neighbour);
  }

  override inputs(name: string, { customTimeouts, ...args }: Declaration): Properties {
    const urn = `urn:pulumi:dev::app::pulumi-nodejs:dynamic/acr:ImportedRepository::${name}`;
    return {
      registry: "myregistry",
      ...args,
      __program: { urn, preview: false, ...(customTimeouts && { timeouts: customTimeouts }) },
    };
  }
}

/** A repository of Docker Hub with some tags, and what a mirror of it has in the target. */
export interface Mirror {
  readonly stack: RepositoryStack;
  readonly repository: string;
  /** Puts a new image behind tags of the source; all get the same one. */
  publish(...tags: string[]): string;
  /** What the target holds under a tag. */
  holds(tag: string): string | undefined;
  /** Puts a foreign image behind a tag of the target. */
  intrude(tag: string): string;
  removeFromSource(tag: string): Promise<void>;
  removeFromTarget(tag: string): Promise<void>;
  /** The lines of the output `tags`. */
  lines(): string[];
}

const stacks: Stack[] = [];

/** A mirror for one test. All stacks of a file share a process. */
export function freshMirror(emulator: TestEmulator): Mirror {
  const stack = new RepositoryStack(emulator, stacks.at(-1));
  const repository = `team/mirror-${stacks.push(stack)}`;
  const { images } = emulator.server;
  return {
    stack,
    repository,
    publish: (first = "1.0.0", ...others) => {
      const digest = publish(emulator, `${repository}:${first}`);
      for (const tag of others) images.tag(`docker.io/${repository}`, tag, digest);
      return digest;
    },
    holds: (tag) => images.describe(`${loginServer}/${repository}:${tag}`)?.digest,
    intrude: (tag) => publish(emulator, `${loginServer}/${repository}:${tag}`),
    removeFromSource: (tag) => emulator.control.removeTag(`docker.io/${repository}:${tag}`),
    removeFromTarget: (tag) => emulator.control.removeTag(`${loginServer}/${repository}:${tag}`),
    lines: () => String(stack.resource("mirror").outputs.tags).split("\n"),
  };
}

export { useEmulator };
