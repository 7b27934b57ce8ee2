/** S19: every way of signing in to Azure, configured as for azure-native. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { defaultIdentity, githubRequestHost, githubRequestToken } from "acr-emulator";
import { useEmulator } from "../../support/emulator";
import type { Outcome } from "../../support/engine";
import { subscriptionId } from "../../support/fixtures";
import { pfx } from "../../support/pfx";
import { selfSigned } from "../../support/self-signed";
import { withoutAzure } from "../without-azure";
import { type AzureCli, installAzureCli } from "./azure-cli";
import { Scenario } from "./scenario";

/** Keys of `azure-native:*` and the variables that stand for them. */
const VARIABLES = {
  subscriptionId: "ARM_SUBSCRIPTION_ID",
  tenantId: "ARM_TENANT_ID",
  clientId: "ARM_CLIENT_ID",
  clientSecret: "ARM_CLIENT_SECRET",
  clientCertificatePath: "ARM_CLIENT_CERTIFICATE_PATH",
  clientCertificatePassword: "ARM_CLIENT_CERTIFICATE_PASSWORD",
  useOidc: "ARM_USE_OIDC",
  oidcToken: "ARM_OIDC_TOKEN",
  oidcTokenFilePath: "ARM_OIDC_TOKEN_FILE_PATH",
  oidcRequestUrl: "ACTIONS_ID_TOKEN_REQUEST_URL",
  oidcRequestToken: "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
  useMsi: "ARM_USE_MSI",
  useDefaultAzureCredential: "ARM_USE_DEFAULT_AZURE_CREDENTIAL",
} as const;
type ResolvedSettings = Partial<Record<keyof typeof VARIABLES, string>>;
/** A value that only a running emulator can make is a function. */
type Settings = Partial<Record<keyof typeof VARIABLES, string | (() => Promise<string>)>>;

const emulator = useEmulator();
const folder = mkdtempSync(path.join(tmpdir(), "identities-"));
const file = (name: string) => path.join(folder, name);
let scenario: Scenario;
/** A project of its own: the engine prints the configuration that a project had before. */
let refusals: Scenario;
let cli: AzureCli;
/** Variables of every run. A logged-in Azure CLI is on PATH: a credential that falls through would be seen there. */
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  scenario = await Scenario.begin(emulator);
  refusals = await Scenario.begin(emulator);
  cli = await installAzureCli(folder, clientId);
  environment = { ...withoutAzure, PATH: [folder, scenario.project.env.PATH].join(path.delimiter) };

  const known = await selfSigned(certificatePassword);
  await emulator.control.call("PUT", "/state", {}, { identities: [{ clientId, certificates: [known.certificate] }] });
  const unknown = await selfSigned("");
  const files = {
    "plain.pem": known.certificate + known.key,
    "encrypted.pem": known.certificate + known.encryptedKey,
    "certificate.pfx": pfx("modern", known, certificatePassword),
    "legacy.pfx": pfx("legacy", known, ""),
    "unknown.pem": unknown.certificate + unknown.key,
    "damaged.pfx": Buffer.from([0x30, 0x82, 1, 2, 3]),
    token: await assertion(),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(file(name), content);
});
afterAll(() => rmSync(folder, { recursive: true }));

const source = "mysourceregistry.azurecr.io/aci-helloworld:latest";
const image = { registry: "myregistry", source, targetTags: ["s19:1"] };
const { clientId, tenantId, secrets } = defaultIdentity;
const clientSecret = secrets[0] ?? "";
const certificatePassword = "open sesame";
const principal = { clientId, tenantId };
const wrongSecret = { clientSecret: "not-the-secret" };
const certificate = { clientCertificatePath: file("plain.pem") };
const pfxFile = { clientCertificatePath: file("certificate.pfx"), clientCertificatePassword: certificatePassword };
const request = {
  oidcRequestUrl: `https://${githubRequestHost}/token?api-version=2.0`,
  oidcRequestToken: githubRequestToken,
};
const defaultChain = {
  AZURE_TOKEN_CREDENTIALS: "EnvironmentCredential",
  AZURE_CLIENT_ID: clientId,
  AZURE_TENANT_ID: tenantId,
  AZURE_CLIENT_SECRET: clientSecret,
};
const assertion = (claims: object = {}) =>
  emulator.control.call<{ assertion: string }>("POST", "/assertion", {}, claims).then(({ assertion }) => assertion);

interface Way {
  readonly way: string;
  readonly settings: Settings;
  readonly env?: NodeJS.ProcessEnv;
  /** The kind of token request that the run must make, and no other. */
  readonly kind: string;
}

// Each way stands beside the settings of one that comes later in azure-native's order and would fail.
test.each<Way>([
  {
    way: "the default credential chain",
    settings: { useDefaultAzureCredential: "true", ...wrongSecret },
    env: defaultChain,
    kind: "secret",
  },
  { way: "a certificate", settings: { ...principal, ...certificate, ...wrongSecret }, kind: "assertion" },
  {
    way: "an encrypted certificate",
    settings: {
      ...principal,
      clientCertificatePath: file("encrypted.pem"),
      clientCertificatePassword: certificatePassword,
    },
    kind: "assertion",
  },
  { way: "a PFX file", settings: { ...principal, ...pfxFile, ...wrongSecret }, kind: "assertion" },
  {
    way: "a legacy PFX file without a password",
    settings: { ...principal, clientCertificatePath: file("legacy.pfx") },
    kind: "assertion",
  },
  { way: "a client secret", settings: { ...principal, clientSecret, useMsi: "true" }, kind: "secret" },
  {
    way: "an OIDC token",
    settings: { ...principal, useOidc: "true", oidcToken: assertion, useMsi: "true" },
    kind: "assertion",
  },
  {
    way: "an OIDC token file",
    settings: { ...principal, useOidc: "true", oidcTokenFilePath: file("token") },
    kind: "assertion",
  },
  {
    way: "an OIDC request URL",
    settings: { ...principal, useOidc: "true", ...request },
    kind: "requested assertion",
  },
  { way: "a managed identity", settings: { useMsi: "true" }, kind: "managed identity" },
  { way: "the Azure CLI", settings: {}, kind: "Azure CLI" },
])(
  "S19 signs in with $way, set by ARM_* variables and by azure-native configuration",
  async ({ settings, env, kind }) => {
    const given = await resolved({ ...settings, subscriptionId });
    const variables = { ...environment, ...env };
    for (const [configuration, more] of [
      [{}, variablesOf(given)],
      [given, {}],
    ] as const) {
      const up = await signIn(configuration, { ...variables, ...more });
      // The program reads the source, the plugin calls Resource Manager and reads the target: three tokens.
      const requests = await tokenRequests();
      expect(new Set(requests)).toEqual(new Set([kind]));
      expect(requests.length).toBeGreaterThanOrEqual(3);
      for (const secret of [clientSecret, certificatePassword, githubRequestToken, given.oidcToken ?? clientSecret]) {
        expect(up.text.includes(secret)).toBe(false);
      }
    }
  },
);

test("S19 azure-native configuration takes precedence over ARM_* variables", async () => {
  const configuration = { ...principal, clientSecret, subscriptionId };
  await signIn(configuration, { ...environment, ...variablesOf({ ...principal, ...wrongSecret }) });
  expect(new Set(await tokenRequests())).toEqual(new Set(["secret"]));
});

// Half a configuration or a wrong one fails, and no other way is tried.
test.each<{ way: string; code: string; settings: Settings; message: string[] }>([
  {
    way: "a wrong secret",
    code: "AZURE_CREDENTIAL_REJECTED",
    settings: { ...principal, ...wrongSecret },
    message: ["AADSTS7000215", clientId],
  },
  {
    way: "a secret without tenant",
    code: "AZURE_CREDENTIAL_MISSING",
    settings: { clientId, clientSecret },
    message: ["Set ARM_TENANT_ID (azure-native:tenantId)"],
  },
  {
    way: "a service principal without a credential",
    code: "AZURE_CREDENTIAL_MISSING",
    settings: principal,
    message: ["has no credential", "ARM_CLIENT_SECRET"],
  },
  {
    way: "a certificate that the application does not have",
    code: "AZURE_CREDENTIAL_REJECTED",
    settings: { ...principal, clientCertificatePath: file("unknown.pem"), clientSecret },
    message: ["AADSTS700027", "ARM_CLIENT_CERTIFICATE_PATH"],
  },
  {
    way: "a certificate file that cannot be read",
    code: "AZURE_CONFIGURATION_INVALID",
    settings: { ...principal, clientCertificatePath: file("damaged.pfx"), clientSecret },
    message: ["ARM_CLIENT_CERTIFICATE_PATH", "is not a valid PEM or PFX file"],
  },
  {
    way: "a PFX file with a wrong password",
    code: "AZURE_CONFIGURATION_INVALID",
    settings: { ...principal, ...pfxFile, clientCertificatePassword: "not-the-secret", clientSecret },
    message: [
      "ARM_CLIENT_CERTIFICATE_PATH",
      "Correct ARM_CLIENT_CERTIFICATE_PASSWORD (azure-native:clientCertificatePassword)",
    ],
  },
  {
    way: "OIDC without a token",
    code: "AZURE_CREDENTIAL_MISSING",
    settings: { ...principal, useOidc: "true" },
    message: ["has no token", "ARM_OIDC_TOKEN_FILE_PATH", "id-token: write"],
  },
  {
    way: "an OIDC token for another subject",
    code: "AZURE_CREDENTIAL_REJECTED",
    settings: { ...principal, useOidc: "true", oidcToken: () => assertion({ subject: "repo:evil/fork" }) },
    message: ["AADSTS700213", "federated credential"],
  },
  {
    way: "an OIDC request with the token of another run",
    code: "AZURE_CREDENTIAL_REJECTED",
    settings: { ...principal, useOidc: "true", ...request, oidcRequestToken: "another-runs-token" },
    message: [githubRequestHost, "id-token: write"],
  },
  {
    way: "a managed identity that this machine does not have",
    code: "AZURE_CREDENTIAL_MISSING",
    settings: { clientId: "99999999-9999-4999-8999-999999999999", useMsi: "true" },
    message: ["the managed identity is not available on this machine"],
  },
])("S19 refuses $way", async ({ way, code, settings, message }) => {
  const { digest } = await emulator.control.moveTag(source);
  await refusals.refuses(way, image, {
    code,
    message: ["Azure: ", ...message],
    never: [clientSecret, "not-the-secret", githubRequestToken, "another-runs-token"],
    env: { ...environment, ...variablesOf(await resolved({ ...settings, subscriptionId })) },
  });
  expect(await cli.takeCalls()).toEqual([]);
  expect(await emulator.control.digest("myregistry.azurecr.io/s19:1")).not.toBe(digest);
});

/** Imports a new image with these settings. */
async function signIn(configuration: ResolvedSettings, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const { digest } = await emulator.control.moveTag(source);
  await configure(scenario.project.folder, configuration);
  await emulator.control.clearRequests();
  return scenario.works(image, digest, { env });
}

/** The kind of each token request of the last run. */
async function tokenRequests(): Promise<string[]> {
  const requests = await emulator.control.requests({ from: "client" });
  const requested = requests.some(({ host }) => host === githubRequestHost) ? "requested " : "";
  const managed = requests.filter(({ host, path }) => host === "169.254.169.254" && path.includes("resource="));
  const entra = requests.filter(({ host, method }) => host === "login.microsoftonline.com" && method === "POST");
  return [
    ...managed.map(() => "managed identity"),
    ...entra.map(({ formKeys = [] }) => (formKeys.includes("client_secret") ? "secret" : `${requested}assertion`)),
    ...(await cli.takeCalls()).map(() => "Azure CLI"),
  ];
}

async function resolved(settings: Settings): Promise<ResolvedSettings> {
  const entries = Object.entries(settings).map(async ([key, value]) => [
    key,
    typeof value === "function" ? await value() : value,
  ]);
  return Object.fromEntries(await Promise.all(entries));
}

function variablesOf(settings: ResolvedSettings): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [VARIABLES[key as keyof typeof VARIABLES], value]),
  );
}

/** Replaces the configuration of the stack: one write instead of a `pulumi config set` for each key. */
async function configure(folder: string, settings: ResolvedSettings): Promise<void> {
  const file = path.join(folder, "Pulumi.dev.yaml");
  const salt = (await readFile(file, "utf8")).split("\n").filter((line) => line.startsWith("encryptionsalt:"));
  const lines = Object.entries(settings).map(([key, value]) => `  azure-native:${key}: ${JSON.stringify(value)}`);
  await writeFile(file, [...salt, ...(lines.length > 0 ? ["config:", ...lines] : []), ""].join("\n"));
}
