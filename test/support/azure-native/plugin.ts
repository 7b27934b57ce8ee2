/** A stand-in for azure-native's plugin: serves the provider protocol over gRPC and prints its port, as plugins do. */
import * as grpc from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { AzureNative } from "./provider";
import type { Properties } from "./resource-types";
import { VERSION } from "./sdk/azure-resource";

const provider = new AzureNative();

/** The methods of the provider protocol that the engine calls; gRPC answers UNIMPLEMENTED for all others. */
const methods = {
  getPluginInfo: async () => new PluginInfo().setVersion(VERSION),
  checkConfig: async (request: messages.CheckRequest) => new messages.CheckResponse().setInputs(request.getNews()),
  diffConfig: async () => new messages.DiffResponse(),
  cancel: async () => new Empty(),
  attach: async () => new Empty(),

  async configure(request: messages.ConfigureRequest) {
    const variables: [string, string][] = [...request.getVariablesMap().entries()];
    provider.configure(new Map(variables.map(([key, value]) => [key.replace("azure-native:config:", ""), value])));
    return new messages.ConfigureResponse().setSupportspreview(true);
  },

  async check(request: messages.CheckRequest) {
    const inputs = await provider.check(request.getUrn(), unpack(request.getOlds()), unpack(request.getNews()));
    return new messages.CheckResponse().setInputs(pack(inputs));
  },

  async diff(request: messages.DiffRequest) {
    const diff = provider.diff(request.getUrn(), unpack(request.getOldInputs()), unpack(request.getNews()));
    const { DIFF_SOME, DIFF_NONE } = messages.DiffResponse.DiffChanges;
    return new messages.DiffResponse()
      .setChanges(diff.changed.length > 0 ? DIFF_SOME : DIFF_NONE)
      .setDiffsList([...diff.changed])
      .setReplacesList([...diff.replaces])
      .setDeletebeforereplace(diff.deleteBeforeReplace);
  },

  async create(request: messages.CreateRequest) {
    const [urn, inputs] = [request.getUrn(), unpack(request.getProperties())];
    const response = new messages.CreateResponse();
    if (request.getPreview()) return response.setProperties(pack(provider.previewCreate(urn, inputs)));
    const { id, outputs } = await provider.create(urn, inputs);
    return response.setId(id).setProperties(pack(outputs));
  },

  async update(request: messages.UpdateRequest) {
    const [urn, inputs] = [request.getUrn(), unpack(request.getNews())];
    const outputs = request.getPreview()
      ? provider.previewUpdate(urn, unpack(request.getOlds()), inputs)
      : await provider.update(urn, request.getId(), inputs);
    return new messages.UpdateResponse().setProperties(pack(outputs));
  },

  async read(request: messages.ReadRequest) {
    const inputs = unpack(request.getInputs());
    const outputs = await provider.read(request.getUrn(), request.getId(), inputs);
    const response = new messages.ReadResponse();
    if (outputs === undefined) return response;
    return response.setId(request.getId()).setInputs(pack(inputs)).setProperties(pack(outputs));
  },

  async delete(request: messages.DeleteRequest) {
    await provider.delete(request.getUrn(), request.getId());
    return new Empty();
  },

  async invoke(request: messages.InvokeRequest) {
    return new messages.InvokeResponse().setReturn(pack(await provider.invoke(request.getTok())));
  },
};

function pack(properties: Properties): Struct {
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as Record<string, JavaScriptValue>);
}

function unpack(struct: Struct | undefined): Properties {
  return struct?.toJavaScript() ?? {};
}

/** Adapts a method to gRPC: an error becomes the message that the engine shows on the resource. */
function toHandler(method: unknown): grpc.handleUnaryCall<unknown, unknown> {
  return ({ request }, done) => {
    (method as (request: unknown) => Promise<unknown>)(request).then(
      (response) => done(null, response),
      (error) => done({ code: grpc.status.UNKNOWN, details: error instanceof Error ? error.message : String(error) }),
    );
  };
}

const server = new grpc.Server();
server.addService(
  ResourceProviderService,
  Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, toHandler(method)])),
);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});
