/** The endpoints that start an import and poll it. */
import type { OutgoingHttpHeaders } from "node:http";
import { readBody, send, sendJson } from "../registry/http";
import { type ArmContext, requireRegistry } from "./arm-context";
import { ArmError } from "./arm-error";
import { startImport } from "./import-image";
import { importAction } from "./permissions";

export async function importImage(context: ArmContext): Promise<void> {
  const { req, res, query, principal, importFault, operations, cloud } = context;
  const body = (await readBody(req)).toString("utf8");
  const target = requireRegistry(context, importAction);
  const apiVersion = query.get("api-version") ?? "";
  const operation = startImport(context, {
    target,
    principal,
    body,
    host: cloud.resourceManager,
    apiVersion,
    importFault,
  });
  send(res, 202, { location: operations.url(operation), ...retryAfter(context) });
}

export function pollOperation(context: ArmContext): void {
  const { res, operations, query, params, principal } = context;
  const operation = operations.poll(params[1] ?? "", query);
  if (operation.tenantId !== principal.tenantId) {
    throw new ArmError(401, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer.");
  }
  const { status, label } = operation;
  if (status.kind === "failed") throw status.error;
  if (status.kind === "succeeded") sendJson(res, 200, { status: "Succeeded" });
  else {
    const body = { [label]: "Pending", status: "Accepted" };
    sendJson(res, 202, body, { location: operations.url(operation), ...retryAfter(context) });
  }
}

function retryAfter({ state }: ArmContext): OutgoingHttpHeaders {
  const { retryAfter: seconds } = state.settings;
  return seconds === null ? {} : { "retry-after": String(seconds) };
}
