/** Runs single imports in the emulator. */
import type { Fault, Registry } from "acr-emulator";
import type { ImportResult } from "../../../provider/azure/import-image";
import type { ImportRequest, ImportSource } from "../../../provider/azure/import-operation";
import type { AzureRegistry } from "../../../provider/azure/registries";
import { formatFailure } from "../../../provider/failure/failure";
import { type Inside, moveIn } from "./inside";

export const ARM = "management.azure.com";
export const HELLO = { registryUri: "docker.io", sourceImage: "library/hello-world:latest" };
export const START: Fault = { host: ARM, method: "POST", path: "/importImage" };
export const POLL: Fault = { host: ARM, method: "GET", path: "/operationResults/" };

export interface Run {
  readonly source?: ImportSource;
  readonly request?: Partial<ImportRequest>;
  readonly env?: NodeJS.ProcessEnv;
  readonly into?: AzureRegistry;
  readonly milliseconds?: number;
}

/** Imports into `myregistry`, in a world where nothing goes wrong between two tests. */
export class Imports {
  inside!: Inside;
  target!: AzureRegistry;
  #count = 0;

  constructor() {
    beforeAll(async () => {
      this.inside = await moveIn();
      this.target = await this.inside.azure().findRegistry({ kind: "name", name: "myregistry" }, "target");
    });
    beforeEach(() => this.inside.control.clearRequests());
    afterEach(async () => {
      await this.inside.control.faults();
      Object.assign(this.inside.emulator.state.settings, { importErrorsIn: "message", importDurationMs: 0 });
    });
  }

  /** Imports under a tag of its own, and says under which. */
  async run(given: Run = {}): Promise<{ outcome: ImportResult; tag: string }> {
    const tag = `hello:${++this.#count}`;
    const request = {
      source: given.source ?? HELLO,
      targetTags: [tag],
      untaggedTargetRepositories: [],
      mode: "NoForce" as const,
      ...given.request,
    };
    const outcome = await this.inside
      .azure(given.env)
      .importImage(given.into ?? this.target, request, AbortSignal.timeout(given.milliseconds ?? 30_000));
    return { outcome, tag };
  }

  /** The digest behind a tag of `myregistry`. */
  held(tag: string): string | undefined {
    const [repository = "", name = ""] = tag.split(":");
    return this.registry("myregistry").store.tag(repository, name)?.digest;
  }

  registry(name: string): Registry {
    const registry = this.inside.emulator.state.registries.find((candidate) => candidate.name === name);
    if (!registry) throw new Error(`the world has no ${name}`);
    return registry;
  }

  /** What Resource Manager was asked: `POST` for each start and `GET` for each poll. */
  async asked(): Promise<string> {
    return (await this.inside.control.requests({ host: ARM })).map(({ method }) => method).join(" ");
  }
}

export function textOf(outcome: ImportResult): string {
  return outcome.state === "succeeded" ? "" : formatFailure(outcome.failure);
}
