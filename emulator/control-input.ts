/** Parses what callers send to the control API. */
import { existsSync } from "node:fs";
import path from "node:path";
import { newRegistry } from "./default-state";
import type { HostSetting } from "./hosts";
import type { SignedImageOptions } from "./images";
import type { PublicRegistryOptions } from "./public-registries";
import type { ReferrersOptions } from "./registry/referrers";
import { severalScopes } from "./registry/token-registry";
import { roleNames } from "./resource-manager/permissions";
import { equalsIgnoreCase, type RegistryProperties, type Settings, type State } from "./state";

/** A request that the control API rejects. */
export class ControlError extends Error {
  constructor(
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

export function requireReference(query: URLSearchParams): string {
  const value = query.get("reference");
  if (!value) throw new ControlError("the query parameter reference (host/repository:tag) is required");
  return value;
}

export function requireFound<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new ControlError(`${what} was not found`, 404);
  return value;
}

export function asObject<T extends object>(body: unknown): T {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new ControlError("the body must be a JSON object");
  return body as T;
}

export function requireFolder({ folder }: { readonly folder?: unknown }): string {
  if (typeof folder !== "string" || !existsSync(path.join(folder, "index.json")))
    throw new ControlError("folder must be one in the OCI image layout, with an index.json");
  return folder;
}

export function parseImageOptions(query: URLSearchParams, body: unknown): SignedImageOptions {
  const platforms = query.get("platforms")?.split(",");
  return { ...asObject<SignedImageOptions>(body), ...(platforms ? { platforms } : {}) };
}

export function parseHosts(body: unknown): Record<string, HostSetting> {
  const hosts = asObject<Record<string, HostSetting>>(body);
  for (const [host, setting] of Object.entries(hosts)) {
    if (setting === null || isLoopback(setting)) continue;
    if (!isRegistry(setting))
      throw new ControlError(`${host} must be http://127.0.0.1:PORT, {"referrers": {…}, "tagDigests": true} or null`);
    requireReferrersOptions(setting.referrers ?? {});
    if (typeof (setting.tagDigests ?? false) !== "boolean") throw new ControlError("tagDigests must be true or false");
  }
  return hosts;
}

function isRegistry(setting: unknown): setting is PublicRegistryOptions {
  return (
    typeof setting === "object" && Object.keys(setting ?? {}).every((name) => /^(referrers|tagDigests)$/.test(name))
  );
}

function isLoopback(url: unknown): boolean {
  return typeof url === "string" && URL.canParse(url) && /^(127\.|localhost$|\[::1\])/.test(new URL(url).hostname);
}

const referrersValues: Readonly<Record<keyof ReferrersOptions, readonly unknown[]>> = {
  api: ["list", "missing", "redirect"],
  artifactTypes: ["manifest", "config", "missing"],
  digestTags: [true, false],
};

function requireReferrersOptions(options: ReferrersOptions): void {
  for (const [name, value] of Object.entries(asObject(options))) {
    const values = Object.hasOwn(referrersValues, name) ? referrersValues[name as keyof ReferrersOptions] : [];
    if (values.includes(value)) continue;
    const expected = Object.entries(referrersValues).map(([known, all]) => `${known}: ${all.join(" | ")}`);
    throw new ControlError(`invalid referrers.${name}; expected ${expected.join(", ")}`);
  }
}

export type StateAdditions = Partial<Omit<State, "registries" | "settings" | "clouds">> & {
  registries?: (Partial<RegistryProperties> & { name: string })[];
};

/** Adds to the state; an identity whose client ID exists is changed. */
export function addToState(state: State, additions: StateAdditions): void {
  const {
    tenants = [],
    subscriptions = [],
    resourceGroups = [],
    identities = [],
    roleAssignments = [],
    registries = [],
  } = additions;
  const unknownRole = roleAssignments.find(({ role }) => !roleNames.includes(role));
  if (unknownRole) throw new ControlError(`unknown role ${unknownRole.role}; expected one of ${roleNames.join(", ")}`);
  state.tenants.push(...tenants);
  state.subscriptions.push(...subscriptions);
  state.resourceGroups.push(...resourceGroups);
  for (const given of identities) {
    const index = state.identities.findIndex(({ clientId }) => equalsIgnoreCase(clientId, given.clientId));
    const defaults = {
      kind: "servicePrincipal" as const,
      secrets: [],
      certificates: [],
      federatedCredentials: [],
      systemAssigned: false,
    };
    const identity = { ...defaults, ...state.identities[index], ...given };
    if (index >= 0) state.identities[index] = identity;
    else state.identities.push(identity);
  }
  state.roleAssignments.push(...roleAssignments);
  state.registries.push(
    ...registries.map((registry) => newRegistry({ ...parseRegistryChanges(registry), name: registry.name })),
  );
}

/** The settings that have a few values. */
const CHOICES: Readonly<Record<string, readonly unknown[]>> = { severalScopes, opaqueTokens: [true, false] };

export function parseSettings(settings: Settings, body: unknown): Partial<Settings> {
  const changes = asObject<Partial<Settings>>(body);
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(settings, name))
      throw new ControlError(`unknown setting ${name}; expected one of ${Object.keys(settings).join(", ")}`);
    const choices = CHOICES[name];
    if (choices && !choices.includes(value)) throw new ControlError(`${name} must be one of ${choices.join(", ")}`);
  }
  return changes;
}

export function parseRegistryChanges(body: unknown): Partial<RegistryProperties> {
  const changes = asObject<Partial<RegistryProperties>>(body);
  const { store, ...known } = newRegistry({ name: "template" });
  const unknown = Object.keys(changes).find((name) => !Object.hasOwn(known, name));
  if (unknown)
    throw new ControlError(`unknown registry property ${unknown}; expected one of ${Object.keys(known).join(", ")}`);
  requireReferrersOptions(changes.referrers ?? {});
  return changes;
}
