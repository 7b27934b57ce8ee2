/** An Azure container registry for tests, with a fake Entra. */
import type { AcrAction, RegistryPrincipal } from "../../../emulator/registry/acr-authority";
import { type AcrOptions, acrRegistry } from "../../../emulator/registry/acr-registry";
import { RegistryStore } from "../../../emulator/registry/registry-store";
import { type Answer, type Listening, listen } from "./listening";

export const host = "myregistry.azurecr.io";
export const registryAudience = "https://containerregistry.azure.net";

/** A fake Entra: its tokens, and the permissions of each principal. */
export interface FakeEntra {
  tokens: Record<string, { principal: RegistryPrincipal; audience: string }>;
  permissions: Record<string, readonly AcrAction[]>;
}

export interface TestRegistry extends Listening {
  store: RegistryStore;
  entra: FakeEntra;
  /** Exchanges an Entra token of a principal with these permissions for an access token. */
  accessToken: (permissions: readonly AcrAction[], ...scopes: string[]) => Promise<string>;
  form: (path: string, fields: readonly (readonly [string, string])[]) => Promise<Answer>;
}

export type Options = Partial<Omit<AcrOptions<RegistryPrincipal>, "store">>;

/** Starts a registry of tenant `home` over HTTP. */
export async function startAcr(options: Options = {}): Promise<TestRegistry> {
  const store = new RegistryStore();
  const entra: FakeEntra = { tokens: {}, permissions: {} };
  const given: AcrOptions<RegistryPrincipal> = {
    store,
    host,
    tenantId: "home",
    verifyEntra: (token, audiences) => {
      const known = entra.tokens[token];
      return known && audiences.includes(known.audience) ? known.principal : undefined;
    },
    allows: ({ objectId }, action) => entra.permissions[objectId]?.includes(action) ?? false,
    ...options,
  };
  const listening = await listen(acrRegistry(given), given.host);
  const form: TestRegistry["form"] = (path, fields) =>
    listening.request("POST", path, {
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])).toString(),
    });
  const accessToken: TestRegistry["accessToken"] = async (permissions, ...scopes) => {
    entra.tokens.someone = { principal: { objectId: "someone", tenantId: "home" }, audience: registryAudience };
    entra.permissions.someone = permissions;
    const { refresh_token } = (await exchange("someone")).json();
    const fields = [
      ["grant_type", "refresh_token"],
      ["service", given.host],
      ["refresh_token", String(refresh_token)],
      ...scopes.map((scope) => ["scope", scope] as const),
    ] as const;
    return String((await form("/oauth2/token", fields)).json().access_token);
  };
  const exchange = (token: string) =>
    form("/oauth2/exchange", [
      ["grant_type", "access_token"],
      ["service", given.host],
      ["access_token", token],
    ]);
  return { ...listening, store, entra, form, accessToken };
}
