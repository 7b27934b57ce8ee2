/** A stack of `ImportedRepository` resources that drives the plugin process as the engine does. */
import { type RepositoryArguments, selectionKey } from "../../provider/resource/repository-state";
import { selectTags } from "../../provider/resource/selection";
import type { TestEmulator } from "../support/emulator";
import type { Properties } from "../support/plugin";
import { type Declaration, loginServer, publish, Stack } from "./stack";

const provider = 'exports.handler = () => require("pulumi-acr-import/provider/repository");';

/** A stack whose resources are all `ImportedRepository`. */
export class RepositoryStack extends Stack {
  /** Whether `check` reads the source, as it does where the program could not. */
  readsInCheck = false;

  constructor(emulator: TestEmulator, neighbour?: Stack) {
    super(emulator, { provider }, neighbour);
  }

  override inputs(name: string, { customTimeouts, ...declared }: Declaration): Properties {
    const urn = `urn:pulumi:dev::app::pulumi-nodejs:dynamic/acr:ImportedRepository::${name}`;
    const args = Object.fromEntries(Object.entries(declared).filter(([, value]) => value !== undefined));
    const lookup = this.readsInCheck ? undefined : this.#lookUpTags(args as unknown as RepositoryArguments);
    const timeouts = customTimeouts && { timeouts: customTimeouts };
    return {
      registry: "myregistry",
      ...args,
      __program: { urn, preview: false, ...timeouts, ...(lookup && { lookup }) },
    };
  }

  /** What the program would have found in the emulator's Docker Hub. */
  #lookUpTags(args: RepositoryArguments): object {
    const repository = String(args.source).replace("docker.io/", "");
    const found = this.emulator.server.images.publicStores.get("docker.io")?.tags(repository) ?? [];
    const digests = new Map(found.map(({ name, digest }) => [name, digest]));
    const selected = args.tags ?? selectTags([...digests.keys()], args);
    const lines = selected.flatMap((tag) => (digests.has(tag) ? [`${tag} ${digests.get(tag)}`] : []));
    const unresolved = selected
      .filter((tag) => !digests.has(tag))
      .map((tag) => ({
        tag,
        failure: { code: "SOURCE_NOT_FOUND", side: "source", object: `${args.source}:${tag}`, reason: "was not found" },
      }));
    return { source: selectionKey(args), tags: lines.join("\n"), ...(unresolved.length > 0 && { unresolved }) };
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
      for (const tag of others) images.publicStores.get("docker.io")?.setTag(repository, tag, digest);
      return digest;
    },
    holds: (tag) => images.describe(`${loginServer}/${repository}:${tag}`)?.digest,
    intrude: (tag) => publish(emulator, `${loginServer}/${repository}:${tag}`),
    removeFromSource: (tag) => emulator.control.removeTag(`docker.io/${repository}:${tag}`),
    removeFromTarget: (tag) => emulator.control.removeTag(`${loginServer}/${repository}:${tag}`),
    lines: () => String(stack.resource("mirror").outputs.tags).trimEnd().split("\n"),
  };
}
