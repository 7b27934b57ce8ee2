import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { defaultIdentity, githubRequestHost, githubRequestToken, subscriptionId } from "acr-emulator";
import { useEmulator } from "../../support/emulator";
import { pfx } from "../../support/pfx";
import { selfSigned } from "../../support/self-signed";
import { imageProgram } from "../programs";
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
type Settings = Partial<Record<keyof typeof VARIABLES, string>>;

const box = useEmulator();
let folder: string;
let cli: AzureCli;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "identities-"));
  cli = await installAzureCli(folder, defaultIdentity.clientId);
});
afterAll(() => rm(folder, { recursive: true }));

test("S19 every way to prove who one is, from azure-native's configuration and from ARM_* variables, without falling through", async () => {
  const scenario = await Scenario.begin(box);
  const { control, project } = scenario;
  // A logged-in Azure CLI stands by in every case: what falls through would be seen there.
  const PATH = [folder, project.env.PATH].join(path.delimiter);
  const source = "mysourceregistry.azurecr.io/aci-helloworld:latest";
  const { clientId, tenantId, secrets } = defaultIdentity;
  const clientSecret = secrets[0] ?? "";
  const principal = { clientId, tenantId };
  const file = async (name: string, content: string | Buffer) => {
    await writeFile(path.join(folder, name), content);
    return path.join(folder, name);
  };
  const known = await selfSigned("open sesame");
  await control.call("PUT", "/state", {}, { identities: [{ clientId, certificates: [known.certificate] }] });
  const assertion = (claims: object = {}) =>
    control.call<{ assertion: string }>("POST", "/assertion", {}, claims).then(({ assertion }) => assertion);
  const requestUrl = `https://${githubRequestHost}/token?api-version=2.0`;
  const chain = {
    AZURE_TOKEN_CREDENTIALS: "EnvironmentCredential",
    AZURE_CLIENT_ID: clientId,
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_SECRET: clientSecret,
  };

  const pem = { clientCertificatePath: await file("plain.pem", known.certificate + known.key) };
  const encrypted = {
    clientCertificatePath: await file("encrypted.pem", known.certificate + known.encryptedKey),
    clientCertificatePassword: "open sesame",
  };
  const pfxFile = {
    clientCertificatePath: await file("certificate.pfx", pfx("modern", known, "open sesame")),
    clientCertificatePassword: "open sesame",
  };
  const legacyPfx = {
    clientCertificatePath: await file("legacy.pfx", pfx("legacy", known, "")),
  };
  const oidcFile = { oidcTokenFilePath: await file("token", await assertion()) };
  const request = { oidcRequestUrl: requestUrl, oidcRequestToken: githubRequestToken };
  // Each one beside the settings of a way that comes later in the order, and would fail.
  const wrongSecret = { clientSecret: "not-the-secret" };
  const ways: readonly { way: string; settings: Settings; env?: NodeJS.ProcessEnv; seen: string }[] = [
    {
      way: "default chain",
      settings: { useDefaultAzureCredential: "true", ...wrongSecret },
      env: chain,
      seen: "secret",
    },
    { way: "certificate", settings: { ...principal, ...pem, ...wrongSecret }, seen: "assertion" },
    { way: "encrypted certificate", settings: { ...principal, ...encrypted }, seen: "assertion" },
    { way: "PFX", settings: { ...principal, ...pfxFile, ...wrongSecret }, seen: "assertion" },
    { way: "PFX of earlier days, without password", settings: { ...principal, ...legacyPfx }, seen: "assertion" },
    { way: "client secret", settings: { ...principal, clientSecret, useMsi: "true" }, seen: "secret" },
    {
      way: "OIDC token",
      settings: { ...principal, useOidc: "true", oidcToken: await assertion(), useMsi: "true" },
      seen: "assertion",
    },
    { way: "OIDC token file", settings: { ...principal, useOidc: "true", ...oidcFile }, seen: "assertion" },
    { way: "OIDC request URL", settings: { ...principal, useOidc: "true", ...request }, seen: "requested assertion" },
    { way: "managed identity", settings: { useMsi: "true" }, seen: "managed identity" },
    { way: "Azure CLI", settings: {}, seen: "Azure CLI" },
  ];

  for (const { way, settings, env = {}, seen } of ways) {
    for (const from of ["variables", "configuration"] as const) {
      const { digest } = await control.moveTag(source);
      await project.write(imageProgram({ registry: "myregistry", source, targetTags: ["s19:1"] }));
      const all = { ...settings, subscriptionId };
      await configure(project.folder, from === "configuration" ? all : {});
      await control.clearRequests();
      const up = await project.up({
        env: { ...withoutAzure, PATH, ...env, ...(from === "variables" ? variables(all) : {}) },
      });
      expect([way, from, up.exitCode, up.diagnostics("error")]).toEqual([way, from, 0, []]);
      expect(await control.digest("myregistry.azurecr.io/s19:1")).toBe(digest);
      // The program reads the source, the plugin asks Resource Manager and reads the target: three tokens, one way.
      const asked = await tokenRequests();
      expect([way, from, new Set(asked)]).toEqual([way, from, new Set([seen])]);
      expect(asked.length).toBeGreaterThanOrEqual(3);
      for (const secret of [clientSecret, "open sesame", githubRequestToken, settings.oidcToken ?? clientSecret]) {
        expect([way, from, up.text.includes(secret)]).toEqual([way, from, false]);
      }
    }
  }
  await configure(project.folder, {});

  // Half a configuration, or a wrong one, is said, and nobody else is tried.
  const unknownPem = await selfSigned("");
  const refused: readonly [way: string, code: string, settings: Settings, ...says: (string | RegExp)[]][] = [
    ["a wrong secret", "AZURE_CREDENTIAL_REJECTED", { ...principal, ...wrongSecret }, "AADSTS7000215", clientId],
    [
      "a secret without tenant",
      "AZURE_CREDENTIAL_MISSING",
      { clientId, clientSecret },
      "Set ARM_TENANT_ID (azure-native:tenantId)",
    ],
    [
      "a service principal without proof",
      "AZURE_CREDENTIAL_MISSING",
      principal,
      "has no credential",
      "ARM_CLIENT_SECRET",
    ],
    [
      "a certificate that is not the application's",
      "AZURE_CREDENTIAL_REJECTED",
      {
        ...principal,
        clientCertificatePath: await file("unknown.pem", unknownPem.certificate + unknownPem.key),
        clientSecret,
      },
      "AADSTS700027",
      "ARM_CLIENT_CERTIFICATE_PATH",
    ],
    [
      "a certificate in a form that cannot be read",
      "AZURE_CONFIGURATION_INVALID",
      {
        ...principal,
        clientCertificatePath: await file("damaged.pfx", Buffer.from([0x30, 0x82, 1, 2, 3])),
        clientSecret,
      },
      "ARM_CLIENT_CERTIFICATE_PATH",
      "is not a valid PEM or PFX file",
    ],
    [
      "a PFX file with a wrong password",
      "AZURE_CONFIGURATION_INVALID",
      { ...principal, ...pfxFile, clientCertificatePassword: "not-the-secret", clientSecret },
      "ARM_CLIENT_CERTIFICATE_PATH",
      "Correct ARM_CLIENT_CERTIFICATE_PASSWORD (azure-native:clientCertificatePassword)",
    ],
    [
      "OIDC without a token",
      "AZURE_CREDENTIAL_MISSING",
      { ...principal, useOidc: "true" },
      "has no token",
      "ARM_OIDC_TOKEN_FILE_PATH",
      "id-token: write",
    ],
    [
      "an OIDC token for another subject",
      "AZURE_CREDENTIAL_REJECTED",
      { ...principal, useOidc: "true", oidcToken: await assertion({ subject: "repo:evil/fork" }) },
      "AADSTS700213",
      "federated credential",
    ],
    [
      "a run that may not ask for an OIDC token",
      "AZURE_CREDENTIAL_REJECTED",
      { ...principal, useOidc: "true", ...request, oidcRequestToken: "another-runs-token" },
      githubRequestHost,
      "id-token: write",
    ],
    [
      "a managed identity that this machine has not got",
      "AZURE_CREDENTIAL_MISSING",
      { clientId: "99999999-9999-4999-8999-999999999999", useMsi: "true" },
      "the managed identity is not available on this machine",
    ],
  ];
  const { digest: unread } = await control.moveTag(source);
  for (const [way, code, settings, ...says] of refused) {
    await scenario.refuses(
      way,
      { registry: "myregistry", source, targetTags: ["s19:1"] },
      {
        code,
        says: ["Azure: ", ...says],
        never: [clientSecret, "not-the-secret", githubRequestToken, "another-runs-token"],
        env: { ...withoutAzure, PATH, ...variables({ ...settings, subscriptionId }) },
      },
    );
  }
  expect(await cli.takeCalls()).toEqual([]);
  expect(await control.digest("myregistry.azurecr.io/s19:1")).not.toBe(unread);

  // Each token that was asked for, by the way in which it was.
  async function tokenRequests(): Promise<string[]> {
    const requests = await control.requests({ from: "client" });
    const requested = requests.some(({ host }) => host === githubRequestHost) ? "requested " : "";
    const managed = requests.filter(({ host, path }) => host === "169.254.169.254" && path.includes("resource="));
    const entra = requests.filter(({ host, method }) => host === "login.microsoftonline.com" && method === "POST");
    return [
      ...managed.map(() => "managed identity"),
      ...entra.map(({ formKeys = [] }) => (formKeys.includes("client_secret") ? "secret" : `${requested}assertion`)),
      ...(await cli.takeCalls()).map(() => "Azure CLI"),
    ];
  }
}, 300_000);

function variables(settings: Settings): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [VARIABLES[key as keyof typeof VARIABLES], value]),
  );
}

/** Writes the stack's configuration as `pulumi config set` would, in one go. */
async function configure(folder: string, settings: Settings): Promise<void> {
  const file = path.join(folder, "Pulumi.dev.yaml");
  const salt = (await readFile(file, "utf8")).split("\n").filter((line) => line.startsWith("encryptionsalt:"));
  const lines = Object.entries(settings).map(([key, value]) => `  azure-native:${key}: ${JSON.stringify(value)}`);
  await writeFile(file, [...salt, ...(lines.length > 0 ? ["config:", ...lines] : []), ""].join("\n"));
}
