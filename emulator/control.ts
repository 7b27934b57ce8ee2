import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { newRegistry } from "./default-world";
import type { OidcIssuer } from "./entra/oidc-issuer";
import type { TokenService } from "./entra/tokens";
import { type Faults, parseFaults } from "./faults";
import type { Hosts } from "./hosts";
import { type Images, UnknownRegistry } from "./images";
import { readBody, send, sendJson, targetOf } from "./registry/http";
import type { ImageOptions } from "./registry/images";
import { RegistryError } from "./registry/registry-error";
import type { RequestLog } from "./request-log";
import { knownRoles } from "./resource-manager/access";
import type { Operations } from "./resource-manager/operations";
import { type Registry, type RegistryProperties, registryId, same, type World } from "./world";

/** What the control API looks at and changes. */
export interface Controlled {
  readonly world: World;
  readonly log: RequestLog;
  readonly faults: Faults;
  readonly hosts: Hosts;
  readonly images: Images;
  readonly tokens: TokenService;
  readonly issuer: OidcIssuer;
  readonly operations: Operations;
}

interface Call extends Controlled {
  readonly res: ServerResponse;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** The last part of the path, where the route has a variable one. */
  readonly name: string;
}

/** The caller asked for something that makes no sense: 400 with the sentence. */
class ControlError extends Error {
  constructor(
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

const routes: Readonly<Record<string, (call: Call) => unknown>> = {
  "GET /requests": ({ log, query }) => log.select(query),
  "DELETE /requests": ({ log }) => log.clear(),

  "GET /faults": ({ faults }) => faults.list(),
  "PUT /faults": ({ faults, body }) => {
    faults.set(parseFaults(body));
    return faults.list();
  },
  "DELETE /faults": ({ faults }) => faults.set([]),

  "GET /hosts": ({ hosts }) => hosts.mapped(),
  "PUT /hosts": ({ hosts, body }) => {
    hosts.map(hostMap(body));
    return hosts.mapped();
  },
  "DELETE /hosts": ({ hosts }) => hosts.clearMapped(),

  "GET /image": ({ images, query }) => found(images.describe(reference(query)), reference(query)),
  "PUT /image": ({ images, query, body }) => images.replace(reference(query), imageOptions(query, body)),
  "DELETE /image": ({ images, query }) => found(images.remove(reference(query)) || undefined, reference(query)),
  "PATCH /image": ({ images, query, body }) =>
    found(images.setAttributes(reference(query), members(body)) || undefined, reference(query)),
  "PUT /referrer": ({ images, query, body }) => {
    const { artifactType = "application/vnd.example.signature.v1", annotations } = members<{
      artifactType?: string;
      annotations?: Record<string, string>;
    }>(body);
    return found(images.addReferrer(reference(query), artifactType, annotations), reference(query));
  },

  "GET /settings": ({ world }) => world.settings,
  "PUT /settings": ({ world, body }) => {
    const changes = members<Record<string, unknown>>(body);
    const unknown = Object.keys(changes).find((name) => !Object.hasOwn(world.settings, name));
    if (unknown)
      throw new ControlError(`unknown setting ${unknown}; there are ${Object.keys(world.settings).join(", ")}`);
    return Object.assign(world.settings, changes);
  },

  "GET /world": ({ world }) => ({ ...world, registries: world.registries.map(describeRegistry) }),
  "PUT /world": ({ world, body }) => addToWorld(world, members<WorldAdditions>(body)),
  "GET /registries/*": ({ world, name }) => describeRegistry(registryNamed(world, name)),
  "PUT /registries/*": ({ world, name, body }) => {
    if (world.registries.some((registry) => same(registry.name, name))) throw new ControlError(`${name} exists`, 409);
    const registry = newRegistry({ ...registryChanges(body), name });
    world.registries.push(registry);
    return describeRegistry(registry);
  },
  "PATCH /registries/*": ({ world, name, body }) =>
    describeRegistry(Object.assign(registryNamed(world, name), registryChanges(body))),
  "DELETE /registries/*": ({ world, name }) => {
    world.registries.splice(world.registries.indexOf(registryNamed(world, name)), 1);
  },
  "DELETE /roles": ({ world, query }) => {
    const kept = world.roleAssignments.filter(
      (assignment) =>
        ![...query].every(([key, value]) => same(String(assignment[key as keyof typeof assignment]), value)),
    );
    world.roleAssignments.splice(0, world.roleAssignments.length, ...kept);
    return kept;
  },

  "POST /token": ({ world, tokens, body }) => {
    const { clientId = "", audience = "https://management.azure.com" } = members<Record<string, string>>(body);
    const identity = world.identities.find((candidate) => same(candidate.clientId, clientId));
    if (!identity) throw new ControlError(`no identity has the client ID ${clientId}`, 404);
    return { token: tokens.issue(identity, audience).token };
  },
  "POST /token/expire": ({ tokens }) => tokens.expireAll(),
  "POST /assertion": ({ issuer, body }) => {
    const { audience = "api://AzureADTokenExchange", ...rest } = members<Record<string, string>>(body);
    return { assertion: issuer.assertion({ audience, ...rest }) };
  },
  "GET /operations": ({ operations }) =>
    operations.list().map(({ id, label, state }) => ({
      id,
      label,
      state: state.kind,
      ...(state.kind === "failed" ? { message: state.error.message } : {}),
    })),
};

/** The control API: plain HTTP on the loopback interface. */
export async function startControl(controlled: Controlled): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((req, res) => {
    answer(controlled, req, res).catch((error: unknown) => {
      if (res.headersSent) res.destroy();
      else sendJson(res, statusOf(error), { error: error instanceof Error ? error.message : String(error) });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

async function answer(controlled: Controlled, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { path, query } = targetOf(req);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const route = routes[`${req.method} ${path}`] ?? routes[`${req.method} ${path.slice(0, -name.length)}*`];
  if (!route)
    throw new ControlError(`nothing answers ${req.method} ${path}; there are ${Object.keys(routes).join(", ")}`, 404);
  const text = (await readBody(req)).toString("utf8");
  const body: unknown = text === "" ? {} : JSON.parse(text);
  const result = route({ ...controlled, res, query, body, name });
  if (result === undefined) send(res, 204, {});
  else sendJson(res, 200, result);
}

function statusOf(error: unknown): number {
  if (error instanceof ControlError || error instanceof RegistryError) return error.status;
  if (error instanceof UnknownRegistry) return 404;
  return error instanceof TypeError || error instanceof SyntaxError ? 400 : 500;
}

function reference(query: URLSearchParams): string {
  const value = query.get("reference");
  if (!value) throw new ControlError("?reference=host/repository:tag is missing");
  return value;
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new ControlError(`${what} is not there`, 404);
  return value;
}

function members<T extends object>(body: unknown): T {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new ControlError("the body must be an object");
  return body as T;
}

function imageOptions(query: URLSearchParams, body: unknown): ImageOptions {
  const platforms = query.get("platforms")?.split(",");
  return { ...members<ImageOptions>(body), ...(platforms ? { platforms } : {}) };
}

function hostMap(body: unknown): Record<string, string | null> {
  const hosts = members<Record<string, unknown>>(body);
  for (const [host, url] of Object.entries(hosts)) {
    const isLoopback =
      typeof url === "string" && URL.canParse(url) && /^(127\.|localhost$|\[::1\])/.test(new URL(url).hostname);
    if (url !== null && !isLoopback) throw new ControlError(`${host} must be mapped to http://127.0.0.1:PORT or null`);
  }
  return hosts as Record<string, string | null>;
}

type WorldAdditions = Partial<Omit<World, "registries" | "settings" | "clouds">> & {
  registries?: (Partial<RegistryProperties> & { name: string })[];
};

/** Adds tenants, subscriptions, registries, identities and role assignments; an identity with a known client ID is replaced. */
function addToWorld(world: World, additions: WorldAdditions): void {
  const {
    tenants = [],
    subscriptions = [],
    resourceGroups = [],
    identities = [],
    roleAssignments = [],
    registries = [],
  } = additions;
  const unknownRole = roleAssignments.find(({ role }) => !knownRoles.includes(role));
  if (unknownRole) throw new ControlError(`unknown role ${unknownRole.role}; there are ${knownRoles.join(", ")}`);
  world.tenants.push(...tenants);
  world.subscriptions.push(...subscriptions);
  world.resourceGroups.push(...resourceGroups);
  for (const given of identities) {
    const index = world.identities.findIndex(({ clientId }) => same(clientId, given.clientId));
    const defaults = {
      kind: "servicePrincipal" as const,
      secrets: [],
      certificates: [],
      federatedCredentials: [],
      systemAssigned: false,
    };
    const identity = { ...defaults, ...world.identities[index], ...given };
    if (index >= 0) world.identities[index] = identity;
    else world.identities.push(identity);
  }
  world.roleAssignments.push(...roleAssignments);
  world.registries.push(
    ...registries.map((registry) => newRegistry({ ...registryChanges(registry), name: registry.name })),
  );
}

function registryChanges(body: unknown): Partial<RegistryProperties> {
  const changes = members<Partial<RegistryProperties>>(body);
  const { store, ...known } = newRegistry({ name: "template" });
  const unknown = Object.keys(changes).find((name) => !Object.hasOwn(known, name));
  if (unknown)
    throw new ControlError(`unknown registry property ${unknown}; there are ${Object.keys(known).join(", ")}`);
  return changes;
}

function registryNamed(world: World, name: string): Registry {
  return found(
    world.registries.find((registry) => same(registry.name, name)),
    `registry ${name}`,
  );
}

function describeRegistry(registry: Registry): object {
  const { store, ...properties } = registry;
  return { id: registryId(registry), ...properties };
}
