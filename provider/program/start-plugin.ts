/** Starts the plugin process while the program resolves digests. */
import * as pulumi from "@pulumi/pulumi";
import { ResourceInvokeRequest } from "@pulumi/pulumi/proto/resource_pb";

/** The engines, one per run of a program, that have been asked. */
const asked = new WeakSet<object>();

/**
 * The engine starts the plugin process for the first resource that is registered, which waits for its digest, or for the first
 * function call. The plugin has no functions, so the call fails, and nothing else happens. Only for a resource without an
 * explicit provider: the call registers the default provider, as the resource itself would.
 *
 * Not with `pulumi.runtime.invoke`, which writes the failure to the debug log.
 */
export function startPlugin(): void {
  const engine = pulumi.runtime.getEngine();
  if (engine === undefined || asked.has(engine)) return;
  asked.add(engine);
  const request = new ResourceInvokeRequest();
  request.setTok("pulumi-nodejs:index:start");
  pulumi.runtime.getMonitor()?.invoke(request, () => {});
}
