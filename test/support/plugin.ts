/** Runs the dynamic-provider process of Pulumi without an engine. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { environment } from "../../scripts/environment";
import { type Running, start } from "../../scripts/process";

const checkout = path.join(__dirname, "../..");
const shortWaits = path.join(__dirname, "preload-short-waits.cjs");
const script = path.join(checkout, "node_modules/@pulumi/pulumi/cmd/dynamic-provider");

/** The provider text that resources have in their state. */
export const providerText = 'exports.handler = () => require("pulumi-acr-import/provider");';

export type Properties = Record<string, unknown>;

export interface LogMessage {
  severity: "debug" | "info" | "warning" | "error";
  message: string;
  urn: string;
  ephemeral: boolean;
}

export interface PluginOptions {
  env?: NodeJS.ProcessEnv;
  /** Stack configuration, as `azure-native:clientId`. */
  config?: Record<string, string>;
  /** The provider text of the resources. */
  provider?: string;
}

export interface CheckFailure {
  property: string;
  reason: string;
}

export interface Diff {
  /** `undefined` when the provider does not decide. */
  changes: boolean | undefined;
  replaces: string[];
  deleteBeforeReplace: boolean;
}

/** A partial create or update, which the engine records with its errors. */
export interface InitFailure {
  id: string;
  properties: Properties;
  reasons: string[];
}

/** The real process of dynamic providers, called over gRPC as the engine calls it. */
export class Plugin {
  private readonly calls = new Set<(error: PluginError) => void>();

  private constructor(
    private readonly client: ResourceProviderClient,
    private readonly running: Running,
    private readonly engine: grpc.Server,
    private readonly home: string,
    private readonly provider: string,
    /** Everything that the provider logged through the engine. */
    readonly logs: readonly LogMessage[],
  ) {}

  static async start(options: PluginOptions = {}): Promise<Plugin> {
    const home = await mkdtemp(path.join(tmpdir(), "plugin-"));
    const logs: LogMessage[] = [];
    const engine = new grpc.Server();
    engine.addService(EngineService, engineMethods(logs));
    const enginePort = await listen(engine);
    // As the engine does: in the folder of the program, with the address of the engine as last argument.
    const running = start(process.execPath, [script, `127.0.0.1:${enginePort}`], {
      cwd: checkout,
      env: environment(home, { ...options.env, NODE_OPTIONS: `--require=${shortWaits}` }),
    });
    const port = await running.line(/^\d+$/);
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const plugin = new Plugin(client, running, engine, home, options.provider ?? providerText, logs);
    open.add(plugin);
    const args = Struct.fromJavaScript(options.config ?? {});
    await plugin.call((done) => client.configure(new messages.ConfigureRequest().setArgs(args), done));
    return plugin;
  }

  /** What the process wrote to stdout and stderr. */
  get output(): string {
    return this.running.output();
  }

  get pid(): number {
    return this.running.pid;
  }

  async check(news: Properties, olds: Properties = {}): Promise<{ inputs: Properties; failures: CheckFailure[] }> {
    const request = new messages.CheckRequest().setNews(this.pack(news)).setOlds(this.pack(olds));
    const response = await this.call<messages.CheckResponse>((done) => this.client.check(request, done));
    return {
      inputs: unpack(response.getInputs()),
      failures: response.getFailuresList().map((each) => ({ property: each.getProperty(), reason: each.getReason() })),
    };
  }

  /** `olds` are outputs, as the engine passes them. */
  async diff(id: string, olds: Properties, news: Properties): Promise<Diff> {
    const request = new messages.DiffRequest().setId(id).setOlds(this.pack(olds)).setNews(this.pack(news));
    const response = await this.call<messages.DiffResponse>((done) => this.client.diff(request, done));
    const { DIFF_SOME, DIFF_NONE } = messages.DiffResponse.DiffChanges;
    const changes = response.getChanges();
    return {
      changes: changes === DIFF_SOME ? true : changes === DIFF_NONE ? false : undefined,
      replaces: response.getReplacesList(),
      deleteBeforeReplace: response.getDeletebeforereplace(),
    };
  }

  async create(inputs: Properties): Promise<{ id: string; outs: Properties }> {
    const request = new messages.CreateRequest().setProperties(this.pack(inputs));
    const response = await this.call<messages.CreateResponse>((done) => this.client.create(request, done));
    return { id: response.getId(), outs: unpack(response.getProperties()) };
  }

  async read(id: string, outs: Properties): Promise<{ id: string; props: Properties; inputs?: Properties }> {
    const request = new messages.ReadRequest().setId(id).setProperties(this.pack(outs));
    const response = await this.call<messages.ReadResponse>((done) => this.client.read(request, done));
    const inputs = response.getInputs();
    return {
      id: response.getId(),
      props: unpack(response.getProperties()),
      ...(inputs === undefined ? {} : { inputs: unpack(inputs) }),
    };
  }

  async update(id: string, olds: Properties, news: Properties): Promise<{ outs: Properties }> {
    const request = new messages.UpdateRequest().setId(id).setOlds(this.pack(olds)).setNews(this.pack(news));
    const response = await this.call<messages.UpdateResponse>((done) => this.client.update(request, done));
    return { outs: unpack(response.getProperties()) };
  }

  async delete(id: string, outs: Properties): Promise<void> {
    const request = new messages.DeleteRequest().setId(id).setProperties(this.pack(outs));
    await this.call((done) => this.client.delete(request, done));
  }

  /** Kills the process. */
  kill(): void {
    this.running.kill();
  }

  async close(): Promise<void> {
    open.delete(this);
    this.client.close();
    this.running.kill();
    await this.running.finished;
    this.endCalls();
    this.engine.forceShutdown();
    await rm(this.home, { recursive: true, force: true });
  }

  private call<T>(send: (done: (error: grpc.ServiceError | null, response: T) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.calls.add(reject);
      try {
        send((error, response) => {
          this.calls.delete(reject);
          if (error === null) resolve(response);
          else reject(new PluginError(error.details, initFailureOf(error)));
        });
      } catch (error) {
        // The client throws when the process has ended.
        reject(new PluginError(String(error), undefined));
      }
    });
  }

  /** gRPC may leave a call unanswered that it has not sent when its channel is closed. */
  private endCalls(): void {
    for (const reject of this.calls) reject(new PluginError("the process has ended", undefined));
    this.calls.clear();
  }

  private pack(properties: Properties): Struct {
    return Struct.fromJavaScript({ ...properties, __provider: this.provider } as Record<string, JavaScriptValue>);
  }
}

/** An error of a provider method, as the engine receives it. */
export class PluginError extends Error {
  constructor(
    message: string,
    readonly initFailure: InitFailure | undefined,
  ) {
    super(message);
  }
}

const open = new Set<Plugin>();
afterAll(async () => {
  for (const plugin of open) await plugin.close();
});

function unpack(struct: Struct | undefined): Properties {
  const { __provider, ...properties } = struct?.toJavaScript() ?? {};
  return properties;
}

function initFailureOf(error: grpc.ServiceError): InitFailure | undefined {
  const [details] = error.metadata.get("grpc-status-details-bin");
  if (!(details instanceof Buffer)) return undefined;
  const [first] = Status.deserializeBinary(details).getDetailsList();
  if (first === undefined) return undefined;
  const failure = messages.ErrorResourceInitFailed.deserializeBinary(first.getValue_asU8());
  return { id: failure.getId(), properties: unpack(failure.getProperties()), reasons: failure.getReasonsList() };
}

const severities = ["debug", "info", "warning", "error"] as const;

function engineMethods(logs: LogMessage[]): grpc.UntypedServiceImplementation {
  const log: grpc.handleUnaryCall<LogRequest, Empty> = ({ request }, done) => {
    logs.push({
      severity: severities[request.getSeverity()] ?? "info",
      message: request.getMessage(),
      urn: request.getUrn(),
      ephemeral: request.getEphemeral(),
    });
    done(null, new Empty());
  };
  const unimplemented: grpc.handleUnaryCall<unknown, unknown> = (_, done) =>
    done({ code: grpc.status.UNIMPLEMENTED, details: "not implemented by this test" });
  return {
    log,
    getRootResource: unimplemented,
    setRootResource: unimplemented,
    startDebugging: unimplemented,
    requirePulumiVersion: unimplemented,
  };
}

function listen(server: grpc.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}
