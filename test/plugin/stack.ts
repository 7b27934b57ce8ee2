/** A stack that drives the plugin process as the engine does. */
import { longForm, sourceKey } from "../../provider/resource/source";
import type { Arguments } from "../../provider/resource/state";
import type { TestEmulator } from "../support/emulator";
import { type InitFailure, Plugin, PluginError, type PluginOptions, type Properties } from "../support/plugin";
import { until } from "../support/until";

export const loginServer = "myregistry.azurecr.io";

/** The arguments of a resource, and the timeouts of its options. */
export interface Declaration extends Properties {
  readonly source: string | { readonly [argument: string]: unknown };
  readonly customTimeouts?: { readonly create?: string; readonly update?: string; readonly delete?: string };
}

/** What the engine keeps of a resource. */
export interface State {
  readonly id: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
  /** Errors of a partial create or update: the next run updates the resource whatever `diff` returns. */
  readonly initErrors: readonly string[];
}

export interface Run {
  readonly steps: Record<string, "same" | "create" | "update" | "replace" | "delete">;
  /** The error message of each resource that failed. */
  readonly errors: Record<string, string>;
}

/**
 * A stack that is deployed as the engine does it: check and diff of one resource after the other, then creates and updates
 * concurrently, then deletes. Errors leave the same state as with the engine. The engine starts a plugin process for every
 * run; here one process serves several runs, to save time, until {@link stopPlugin}.
 */
export class Stack {
  readonly state = new Map<string, State>();
  readonly #process: { plugin?: Promise<Plugin> | undefined };

  /** @param neighbour - A stack whose plugin process is shared. */
  constructor(
    readonly emulator: TestEmulator,
    readonly options: PluginOptions = {},
    neighbour?: Stack,
  ) {
    this.#process = neighbour ? neighbour.#process : {};
  }

  /** The plugin process of the current or next run. */
  plugin(): Promise<Plugin> {
    this.#process.plugin ??= Plugin.start({ ...this.options, env: { ...this.emulator.env, ...this.options.env } });
    return this.#process.plugin;
  }

  /** Kills the plugin process, whatever it is doing; the next run starts another. */
  async stopPlugin(): Promise<void> {
    const plugin = await this.#process.plugin;
    this.#process.plugin = undefined;
    await plugin?.close();
  }

  /** The state of a resource, which must exist. */
  resource(name = "image"): State {
    const state = this.state.get(name);
    if (state === undefined) throw new Error(`the state has no ${name}`);
    return state;
  }

  /** `pulumi up` of a program that declares these resources. */
  up(program: Readonly<Record<string, Declaration>>): Promise<Run> {
    return this.#run(async (plugin, run) => {
      const acts: (() => Promise<void>)[] = [];
      for (const [name, declaration] of Object.entries(program)) {
        await this.#attempt(run, name, async () => {
          const act = await this.#decide(plugin, run, name, declaration);
          if (act) acts.push(act);
        });
        // The engine, too, ends a run at the first failed check.
        if (name in run.errors) return;
      }
      await Promise.all(acts.map((act) => act()));
      if (Object.keys(run.errors).length > 0) return;
      for (const name of [...this.state.keys()].filter((each) => !(each in program)))
        await this.#delete(plugin, run, name);
    });
  }

  /** `pulumi destroy`, in a new process: it does not run the program, so that no targets are declared. */
  async destroy(): Promise<Run> {
    await this.stopPlugin();
    return this.#run(async (plugin, run) => {
      for (const name of [...this.state.keys()]) await this.#delete(plugin, run, name);
    });
  }

  /** `pulumi refresh`. */
  refresh(): Promise<Run> {
    return this.#run(async (plugin, run) => {
      for (const [name, before] of [...this.state]) {
        await this.#attempt(run, name, async () => {
          const { id, props, inputs } = await plugin.read(before.id, before.outputs);
          if (id === "") this.state.delete(name);
          else this.state.set(name, { ...before, id, outputs: props, inputs: inputs ?? before.inputs });
        });
      }
    });
  }

  async #run(body: (plugin: Plugin, run: Run) => Promise<void>): Promise<Run> {
    const run: Run = { steps: {}, errors: {} };
    await body(await this.plugin(), run);
    return run;
  }

  async #decide(
    plugin: Plugin,
    run: Run,
    name: string,
    declaration: Declaration,
  ): Promise<(() => Promise<void>) | undefined> {
    const before = this.state.get(name);
    const news = this.inputs(name, declaration);
    const { inputs, failures } = await plugin.check(news, before?.inputs ?? {});
    if (failures.length > 0) {
      run.errors[name] = failures.map(({ reason }) => reason).join("\n");
      return undefined;
    }
    if (before === undefined) {
      run.steps[name] = "create";
      return () => this.#create(plugin, run, name, inputs);
    }
    const diff = await plugin.diff(before.id, before.outputs, inputs);
    if (diff.replaces.length > 0) {
      run.steps[name] = "replace";
      return async () => {
        await this.#create(plugin, run, name, inputs);
        if (!(name in run.errors)) await this.#attempt(run, name, () => plugin.delete(before.id, before.outputs));
      };
    }
    if (diff.changes === false && before.initErrors.length === 0) {
      run.steps[name] = "same";
      this.state.set(name, { ...before, inputs });
      return undefined;
    }
    run.steps[name] = "update";
    return () => this.#update(plugin, run, name, before, inputs);
  }

  #create(plugin: Plugin, run: Run, name: string, inputs: Properties): Promise<void> {
    return this.#attempt(
      run,
      name,
      async () => {
        const { id, outs } = await plugin.create(inputs);
        this.state.set(name, { id, inputs, outputs: outs, initErrors: [] });
      },
      ({ id, properties, reasons }) => this.state.set(name, { id, inputs, outputs: properties, initErrors: reasons }),
    );
  }

  #update(plugin: Plugin, run: Run, name: string, before: State, inputs: Properties): Promise<void> {
    return this.#attempt(
      run,
      name,
      async () => {
        const { outs } = await plugin.update(before.id, before.outputs, inputs);
        this.state.set(name, { ...before, inputs, outputs: outs, initErrors: [] });
      },
      ({ properties, reasons }) => this.state.set(name, { ...before, outputs: properties, initErrors: reasons }),
    );
  }

  async #delete(plugin: Plugin, run: Run, name: string): Promise<void> {
    run.steps[name] = "delete";
    const { id, outputs } = this.resource(name);
    await this.#attempt(run, name, async () => {
      await plugin.delete(id, outputs);
      this.state.delete(name);
    });
  }

  async #attempt(
    run: Run,
    name: string,
    act: () => Promise<void>,
    recordPartial?: (failure: InitFailure) => void,
  ): Promise<void> {
    try {
      await act();
    } catch (error) {
      // gRPC reports this when the process was killed.
      const isKilled = error instanceof Error && error.message === "Channel has been shut down";
      if (!(error instanceof PluginError) && !isKilled) throw error;
      const initFailure = error instanceof PluginError ? error.initFailure : undefined;
      if (initFailure && !recordPartial) throw new Error("only create and update may report what they left unfinished");
      if (initFailure) recordPartial?.(initFailure);
      run.errors[name] = initFailure ? initFailure.reasons.join("\n") : error.message;
    }
  }

  /** The inputs that the constructor of `ImportedImage` registers. */
  inputs(name: string, { customTimeouts, ...args }: Declaration): Properties {
    const program = {
      urn: urnOf(name),
      preview: false,
      ...(customTimeouts && { timeouts: customTimeouts }),
      ...(isReadFromTarget(args)
        ? {}
        : { lookup: { source: sourceKey(args as Pick<Arguments, "source">), ...this.#lookUp(args) } }),
    };
    return { registry: "myregistry", ...args, __program: program };
  }

  #lookUp({ source }: Declaration): object {
    const { image, registry } = longForm(source as Arguments["source"]);
    const [, digest] = image.split("@");
    if (digest !== undefined) return { digest };
    const reference = typeof registry === "string" ? `${registry}.azurecr.io/${image}` : image;
    const found = this.emulator.server.images.describe(reference);
    return found
      ? { digest: found.digest }
      : { failure: { code: "SOURCE_NOT_FOUND", side: "source", object: reference, reason: "was not found" } };
  }
}

/** A stack and a repository for one test, with a Docker Hub image behind `:1`. All stacks of a file share a process. */
export function freshStack(emulator: TestEmulator): { stack: Stack; repository: string; first: string } {
  const stack = new Stack(emulator, {}, fresh.at(-1));
  const repository = `team/app-${fresh.push(stack)}`;
  return { stack, repository, first: publish(emulator, `${repository}:1`) };
}

const fresh: Stack[] = [];

export function urnOf(name: string): string {
  return `urn:pulumi:dev::app::pulumi-nodejs:dynamic/acr:ImportedImage::${name}`;
}

/** The digest of a target (`repository:tag`), read from the store of the emulator; `undefined` when it is missing. */
export function targetDigest(emulator: TestEmulator, target: string): string | undefined {
  return emulator.server.images.describe(`${loginServer}/${target}`)?.digest;
}

/** Puts a new small image behind a tag of Docker Hub, or of the Azure registry that the reference names. */
export function publish(emulator: TestEmulator, reference: string): string {
  const name = reference.includes("azurecr.io/") ? reference : `docker.io/${reference}`;
  return emulator.server.images.replace(name, { kind: "manifest" }).digest;
}

/** Puts a foreign image behind a tag of the target registry. */
export function pushForeignImage(emulator: TestEmulator, target: string): string {
  return publish(emulator, `${loginServer}/${target}`);
}

/** Resolves when Resource Manager has received so many import requests since the log was cleared. */
export function importRequested(emulator: TestEmulator, count = 1): Promise<void> {
  return until(() => importCount(emulator) >= count);
}

/** The number of import requests since the log was cleared. */
export function importCount(emulator: TestEmulator): number {
  return emulator.server.log.select(new URLSearchParams({ method: "POST", path: "/importImage" })).length;
}

/** The requests of the client since the log was cleared, as `HEAD myregistry.azurecr.io`. */
export function clientRequests(emulator: TestEmulator): string[] {
  return emulator.server.log
    .select(new URLSearchParams({ from: "client" }))
    .map(({ method, host }) => `${method} ${host}`);
}

function isReadFromTarget({ source }: Declaration): boolean {
  const { image, digestFrom } = longForm(source as Arguments["source"]);
  return digestFrom === "target" && !image.includes("@");
}
