import type { OutgoingHttpHeaders } from "node:http";
import { readBody, send, sendJson } from "../registry/http";
import { importAction } from "./access";
import { type Call, registryFor } from "./call";
import { ArmError } from "./errors";
import { startImport } from "./import-image";

export async function importImage(call: Call): Promise<void> {
  const { req, res, query, principal, fault, operations, cloud } = call;
  const body = (await readBody(req)).toString("utf8");
  const target = registryFor(call, importAction);
  const apiVersion = query.get("api-version") ?? "";
  const operation = startImport(call, { target, principal, body, host: cloud.resourceManager, apiVersion, fault });
  send(res, 202, { location: operations.url(operation), ...retryAfter(call) });
}

export function pollOperation(call: Call): void {
  const { res, operations, query, caught, principal } = call;
  const operation = operations.poll(caught[1] ?? "", query);
  if (operation.tenantId !== principal.tenantId) {
    throw new ArmError(401, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer.");
  }
  const { state, label } = operation;
  if (state.kind === "failed") throw state.error;
  if (state.kind === "succeeded") sendJson(res, 200, { status: "Succeeded" });
  else {
    const body = { [label]: "Pending", status: "Accepted" };
    sendJson(res, 202, body, { location: operations.url(operation), ...retryAfter(call) });
  }
}

function retryAfter({ world }: Call): OutgoingHttpHeaders {
  const { retryAfter: seconds } = world.settings;
  return seconds === null ? {} : { "retry-after": String(seconds) };
}
