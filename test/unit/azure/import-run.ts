/** Runs single imports in the emulator. */
import type { Fault, Registry } from "acr-emulator";
import type { Azure } from "../../../provider/azure/azure";
import type { ImportResult } from "../../../provider/azure/import-image";
import type { ImportRequest, ImportSource, ImportWatch } from "../../../provider/azure/import-operation";
import type { AzureRegistry } from "../../../provider/azure/registries";
import { formatFailure } from "../../../provider/failure/failure";
import { shortenWaits } from "../../support/short-waits";
import { until } from "../../support/until";
import { type InProcessEmulator, startInProcessEmulator } from "./in-process-emulator";

export const ARM = "management.azure.com";
export const HELLO = { registryUri: "docker.io", sourceImage: "library/hello-world:latest" };
export const START: Fault = { host: ARM, method: "POST", path: "/importImage" };
export const POLL: Fault = { host: ARM, method: "GET", path: "/operationResults/" };

export interface Run {
  readonly source?: ImportSource;
  readonly request?: Partial<ImportRequest>;
  readonly env?: NodeJS.ProcessEnv;
  readonly into?: AzureRegistry;
  readonly watch?: ImportWatch;
  /** An identity that several imports share, with its rate limits. */
  readonly azure?: Azure;
  /** When this holds, the time limit of the import is reached; without it there is none. */
  readonly endsWhen?: () => boolean | Promise<boolean>;
}

/** Runs imports into `myregistry`; faults and settings end with each test. */
export class Imports {
  emulator!: InProcessEmulator;
  target!: AzureRegistry;
  /** Waits between retries and polls of the current test, in milliseconds. */
  waits: readonly number[] = [];
  #count = 0;

  constructor() {
    beforeAll(async () => {
      this.emulator = await startInProcessEmulator();
      this.target = await this.emulator.azure().findRegistry({ kind: "name", name: "myregistry" }, "target");
    });
    beforeEach(() => {
      this.waits = shortenWaits();
      return this.emulator.control.clearRequests();
    });
    afterEach(async () => {
      await this.emulator.control.faults();
      Object.assign(this.emulator.server.state.settings, { importErrorsIn: "message", importDurationMs: 0 });
    });
  }

  /** Imports under a new tag, which is returned. */
  async run(given: Run = {}): Promise<{ outcome: ImportResult; tag: string }> {
    const tag = `hello:${++this.#count}`;
    const request = {
      source: given.source ?? HELLO,
      targetTags: [tag],
      untaggedTargetRepositories: [],
      mode: "NoForce" as const,
      ...given.request,
    };
    const limit = new AbortController();
    const azure = given.azure ?? this.emulator.azure(given.env);
    const running = azure.importImage(given.into ?? this.target, request, limit.signal, given.watch);
    if (given.endsWhen) {
      await until(given.endsWhen);
      limit.abort();
    }
    return { outcome: await running, tag };
  }

  /** The digest behind a tag of `myregistry`. */
  targetDigest(tag: string): string | undefined {
    const [repository = "", name = ""] = tag.split(":");
    return this.registry("myregistry").store.tag(repository, name)?.digest;
  }

  registry(name: string): Registry {
    const registry = this.emulator.server.state.registries.find((candidate) => candidate.name === name);
    if (!registry) throw new Error(`the world has no ${name}`);
    return registry;
  }

  /** The methods of the requests to Resource Manager: `POST` for a start and `GET` for a poll. */
  async requestMethods(): Promise<string> {
    return (await this.emulator.control.requests({ host: ARM })).map(({ method }) => method).join(" ");
  }
}

export function textOf(outcome: ImportResult): string {
  return outcome.state === "succeeded" ? "" : formatFailure(outcome.failure);
}
