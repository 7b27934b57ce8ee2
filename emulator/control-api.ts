/** The control API: plain HTTP on the loopback interface, through which tests read and change the emulator. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  addToState,
  asObject,
  ControlError,
  parseHosts,
  parseImageOptions,
  parseRegistryChanges,
  parseSettings,
  requireFolder,
  requireFound,
  requireReference,
  type StateAdditions,
} from "./control-input";
import { newRegistry } from "./default-state";
import type { OidcIssuer } from "./entra/oidc-issuer";
import type { TokenService } from "./entra/token-service";
import { parseFaults } from "./faults/fault";
import type { Faults } from "./faults/faults";
import type { Hosts } from "./hosts";
import { type Images, UnknownRegistryError } from "./images";
import { readBody, requestTarget, send, sendJson } from "./registry/http";
import { RegistryError } from "./registry/registry-error";
import type { RequestLog } from "./request-log";
import type { Operations } from "./resource-manager/operations";
import { equalsIgnoreCase, type Registry, registryId, type State } from "./state";

/** The parts of the emulator that the control API reads and changes. */
export interface EmulatorParts {
  readonly state: State;
  readonly log: RequestLog;
  readonly faults: Faults;
  readonly hosts: Hosts;
  readonly images: Images;
  readonly tokens: TokenService;
  readonly issuer: OidcIssuer;
  readonly operations: Operations;
}

interface ControlContext extends EmulatorParts {
  readonly res: ServerResponse;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** The last segment of the path, where the route ends with `*`. */
  readonly lastSegment: string;
}

const routes: Readonly<Record<string, (context: ControlContext) => unknown>> = {
  "GET /requests": ({ log, query }) => log.select(query),
  "DELETE /requests": ({ log }) => log.clear(),

  "GET /faults": ({ faults }) => faults.list(),
  "PUT /faults": ({ faults, body }) => {
    faults.set(parseFaults(body));
    return faults.list();
  },
  "DELETE /faults": ({ faults }) => faults.set([]),

  "GET /hosts": ({ hosts }) => hosts.settings(),
  "PUT /hosts": ({ hosts, body }) => {
    hosts.set(parseHosts(body));
    return hosts.settings();
  },
  "DELETE /hosts": ({ hosts }) => hosts.clearSettings(),

  "GET /image": ({ images, query }) => requireFound(images.describe(requireReference(query)), requireReference(query)),
  "PUT /image": ({ images, query, body }) => images.replace(requireReference(query), parseImageOptions(query, body)),
  "DELETE /image": ({ images, query }) =>
    requireFound(images.remove(requireReference(query)) || undefined, requireReference(query)),
  "PATCH /image": ({ images, query, body }) =>
    requireFound(images.setAttributes(requireReference(query), asObject(body)) || undefined, requireReference(query)),
  "PUT /referrer": ({ images, query, body }) =>
    requireFound(images.addReferrer(requireReference(query), asObject(body)), requireReference(query)),
  "PUT /layout": ({ images, query, body }) => images.pushLayout(requireReference(query), requireFolder(asObject(body))),

  "GET /settings": ({ state }) => state.settings,
  "PUT /settings": ({ state, body }) => Object.assign(state.settings, parseSettings(state.settings, body)),

  "GET /state": ({ state }) => ({ ...state, registries: state.registries.map(describeRegistry) }),
  "PUT /state": ({ state, body }) => addToState(state, asObject<StateAdditions>(body)),
  "GET /registries/*": ({ state, lastSegment }) => describeRegistry(findRegistryByName(state, lastSegment)),
  "PUT /registries/*": ({ state, lastSegment, body }) => {
    if (state.registries.some((registry) => equalsIgnoreCase(registry.name, lastSegment)))
      throw new ControlError(`registry ${lastSegment} already exists`, 409);
    const registry = newRegistry({ ...parseRegistryChanges(body), name: lastSegment });
    state.registries.push(registry);
    return describeRegistry(registry);
  },
  "PATCH /registries/*": ({ state, lastSegment, body }) =>
    describeRegistry(Object.assign(findRegistryByName(state, lastSegment), parseRegistryChanges(body))),
  "DELETE /registries/*": ({ state, lastSegment }) => {
    state.registries.splice(state.registries.indexOf(findRegistryByName(state, lastSegment)), 1);
  },
  "DELETE /roles": ({ state, query }) => {
    const kept = state.roleAssignments.filter(
      (assignment) =>
        ![...query].every(([key, value]) =>
          equalsIgnoreCase(String(assignment[key as keyof typeof assignment]), value),
        ),
    );
    state.roleAssignments.splice(0, state.roleAssignments.length, ...kept);
    return kept;
  },

  "POST /token": ({ state, tokens, body }) => {
    const { clientId = "", audience = "https://management.azure.com" } = asObject<Record<string, string>>(body);
    const identity = state.identities.find((candidate) => equalsIgnoreCase(candidate.clientId, clientId));
    if (!identity) throw new ControlError(`no identity has the client ID ${clientId}`, 404);
    return { token: tokens.issue(identity, audience).token };
  },
  "POST /token/expire": ({ tokens }) => tokens.expireAll(),
  "POST /assertion": ({ issuer, body }) => {
    const { audience = "api://AzureADTokenExchange", ...rest } = asObject<Record<string, string>>(body);
    return { assertion: issuer.assertion({ audience, ...rest }) };
  },
  "GET /operations": ({ operations }) =>
    operations.list().map(({ id, label, status }) => ({
      id,
      label,
      status: status.kind,
      ...(status.kind === "failed" ? { message: status.error.message } : {}),
    })),
};

/** Starts the control API. */
export async function startControlApi(parts: EmulatorParts): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((req, res) => {
    handle(parts, req, res).catch((error: unknown) => {
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

async function handle(parts: EmulatorParts, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { path, query } = requestTarget(req);
  const lastSegment = path.slice(path.lastIndexOf("/") + 1);
  const route = routes[`${req.method} ${path}`] ?? routes[`${req.method} ${path.slice(0, -lastSegment.length)}*`];
  if (!route)
    throw new ControlError(
      `no route for ${req.method} ${path}; expected one of ${Object.keys(routes).join(", ")}`,
      404,
    );
  const text = (await readBody(req)).toString("utf8");
  const body: unknown = text === "" ? {} : JSON.parse(text);
  const result = route({ ...parts, res, query, body, lastSegment });
  if (result === undefined) send(res, 204, {});
  else sendJson(res, 200, result);
}

function statusOf(error: unknown): number {
  if (error instanceof ControlError || error instanceof RegistryError) return error.status;
  if (error instanceof UnknownRegistryError) return 404;
  return error instanceof TypeError || error instanceof SyntaxError ? 400 : 500;
}

function findRegistryByName(state: State, name: string): Registry {
  return requireFound(
    state.registries.find((registry) => equalsIgnoreCase(registry.name, name)),
    `registry ${name}`,
  );
}

function describeRegistry(registry: Registry): object {
  const { store, ...properties } = registry;
  return { id: registryId(registry), ...properties };
}
