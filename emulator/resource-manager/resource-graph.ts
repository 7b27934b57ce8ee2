/** Azure Resource Graph: queries and paging. */
import type { Registry, State } from "../state";
import { ArmError } from "./arm-error";
import { runQuery } from "./known-queries";
import { registryResource } from "./registry-resource";

interface GraphRequest {
  readonly query?: unknown;
  readonly subscriptions?: unknown;
  readonly options?: { readonly $top?: unknown; readonly $skip?: unknown; readonly $skipToken?: unknown };
}

/** Runs a query over the registries that the caller may read, and returns one page. */
export function searchResources(
  state: State,
  visible: readonly Registry[],
  tenantId: string,
  body: GraphRequest,
): object {
  const { query, subscriptions, options = {} } = body;
  if (typeof query !== "string") throw new ArmError(400, "BadRequest", "Please provide the query.");
  const rows = visible
    .filter(({ subscriptionId }) => !Array.isArray(subscriptions) || subscriptions.includes(subscriptionId))
    .map((registry) => graphRow(registry, tenantId));
  const found = runQuery(query, rows);
  const pageSize =
    typeof options.$top === "number" ? Math.min(options.$top, 1000) : state.settings.resourceGraphPageSize;
  const first =
    typeof options.$skipToken === "string" ? decodeSkipToken(options.$skipToken) : Number(options.$skip ?? 0);
  const data = found.slice(first, first + pageSize);
  const next = first + data.length;
  return {
    totalRecords: found.length,
    count: data.length,
    data,
    facets: [],
    resultTruncated: "false",
    ...(next < found.length ? { $skipToken: encodeSkipToken(next) } : {}),
  };
}

function graphRow(registry: Registry, tenantId: string): Record<string, unknown> {
  const resource = registryResource(registry);
  return {
    ...resource,
    type: String(resource.type).toLowerCase(),
    tenantId,
    kind: "",
    resourceGroup: registry.resourceGroup.toLowerCase(),
    subscriptionId: registry.subscriptionId,
  };
}

function encodeSkipToken(position: number): string {
  return Buffer.from(`skip:${position}`).toString("base64url");
}

function decodeSkipToken(token: string): number {
  const position = /^skip:(\d+)$/.exec(Buffer.from(token, "base64url").toString())?.[1];
  if (position === undefined) throw new ArmError(400, "BadRequest", "The $skipToken is invalid.");
  return Number(position);
}
