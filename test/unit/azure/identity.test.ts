/** Tokens and errors of every way to sign in, against the emulator. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { githubRequestHost, githubRequestToken } from "acr-emulator";
import type { Azure } from "../../../provider/azure/azure";
import { type Code, failureOf, formatFailure } from "../../../provider/failure/failure";
import { parseRegistryName } from "../../../provider/reference/registry-name";
import { pfx } from "../../support/pfx";
import { selfSigned } from "../../support/self-signed";
import { shortenWaits } from "../../support/short-waits";
import { type InProcessEmulator, startInProcessEmulator } from "./in-process-emulator";

const AUDIENCE = "api://AzureADTokenExchange";
const REQUEST = {
  ARM_USE_OIDC: "true",
  ACTIONS_ID_TOKEN_REQUEST_URL: `https://${githubRequestHost}/token?api-version=2.0`,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: githubRequestToken,
};
const WITHOUT_SECRET = { ARM_CLIENT_SECRET: "" };
const NO_IDENTITY = { ARM_CLIENT_ID: "", ARM_CLIENT_SECRET: "", ARM_TENANT_ID: "" };

let emulator: InProcessEmulator;
let folder: string;
beforeAll(async () => {
  emulator = await startInProcessEmulator();
  folder = mkdtempSync(path.join(tmpdir(), "identity-"));
});
beforeEach(() => emulator.control.clearRequests());
afterEach(() => emulator.control.faults());
afterAll(() => rmSync(folder, { recursive: true }));

/** The claims of the token that registries get. */
async function registryClaims(azure: Azure): Promise<{ aud: string; appid?: string; tid: string }> {
  const [, payload = ""] = (await azure.registryToken()).split(".");
  return JSON.parse(Buffer.from(payload, "base64url").toString());
}

async function refusal(azure: Azure): Promise<{ code: Code; text: string }> {
  const failure = await azure.registryToken().then(() => undefined, failureOf);
  if (!failure) throw new Error("a token was given, or something else was thrown");
  return { code: failure.code, text: formatFailure(failure) };
}

describe("a token is granted to", () => {
  const asDeployer = { aud: "https://containerregistry.azure.net" };

  test("a service principal with a secret", async () => {
    expect(await registryClaims(emulator.azure())).toMatchObject({ ...asDeployer, tid: emulator.env.ARM_TENANT_ID });
  });

  test("a service principal with a certificate, as PEM and as PFX, also an encrypted one", async () => {
    const signed = await selfSigned("open sesame");
    const { certificate, key, encryptedKey } = signed;
    const [deployer] = emulator.server.state.identities;
    if (!deployer) throw new Error("the world has no identity");
    emulator.server.state.identities[0] = { ...deployer, certificates: [certificate] };
    for (const [name, content, password] of [
      ["plain.pem", certificate + key, ""],
      ["encrypted.pem", certificate + encryptedKey, "open sesame"],
      ["plain.pfx", pfx("modern", signed, ""), ""],
      ["encrypted.pfx", pfx("modern", signed, "open sesame"), "open sesame"],
      ["legacy.pfx", pfx("legacy", signed, "open sesame"), "open sesame"],
    ] as const) {
      const file = path.join(folder, name);
      writeFileSync(file, content);
      const env = { ARM_CLIENT_CERTIFICATE_PATH: file, ARM_CLIENT_CERTIFICATE_PASSWORD: password };
      expect(await registryClaims(emulator.azure({ ...env, ARM_CLIENT_SECRET: "wrong" }))).toMatchObject(asDeployer);
    }
  });

  test("an OIDC token", async () => {
    const token = emulator.server.issuer.assertion({ audience: AUDIENCE });
    const env = { ...WITHOUT_SECRET, ARM_USE_OIDC: "true", ARM_OIDC_TOKEN: token };
    expect(await registryClaims(emulator.azure(env))).toMatchObject(asDeployer);
  });

  test("an OIDC token file, which is read again for each token", async () => {
    const file = path.join(folder, "token");
    const azure = emulator.azure({ ...WITHOUT_SECRET, ARM_USE_OIDC: "true", ARM_OIDC_TOKEN_FILE_PATH: file });
    writeFileSync(file, `${emulator.server.issuer.assertion({ audience: AUDIENCE })}\n`);
    expect(await registryClaims(azure)).toMatchObject(asDeployer);
    writeFileSync(file, emulator.server.issuer.assertion({ audience: AUDIENCE, subject: "somebody else" }));
    await expect(azure.findRegistry(parseRegistryName("myregistry"), "target")).rejects.toThrow(/AADSTS700213/);
  });

  test("a workflow run that requests an OIDC token for each token", async () => {
    const azure = emulator.azure({ ...WITHOUT_SECRET, ...REQUEST });
    expect(await registryClaims(azure)).toMatchObject(asDeployer);
    const oidcRequests = () => emulator.control.requests({ host: githubRequestHost });
    const first = await oidcRequests();
    await azure.findRegistry(parseRegistryName("myregistry"), "target");
    const all = await oidcRequests();
    expect(all.length).toBe(2 * first.length);
    expect(new Set(all.map(({ path }) => new URLSearchParams(path.split("?")[1]).get("audience")))).toEqual(
      new Set([AUDIENCE]),
    );
  });

  test("the machine's managed identity", async () => {
    const { clientId } = managedIdentity();
    for (const ARM_CLIENT_ID of ["", clientId]) {
      const claims = await registryClaims(emulator.azure({ ...NO_IDENTITY, ARM_USE_MSI: "true", ARM_CLIENT_ID }));
      expect(claims).toMatchObject({ ...asDeployer, appid: clientId });
    }
  });

  test("the account of the Azure CLI", async () => {
    const { token } = emulator.server.tokens.issue(managedIdentity(), "https://containerregistry.azure.net");
    await withCommand(
      `echo '${JSON.stringify({ accessToken: token, expires_on: Date.now() / 1000 + 3600 })}'`,
      async () => {
        expect(await registryClaims(emulator.azure(NO_IDENTITY))).toMatchObject({ appid: managedIdentity().clientId });
      },
    );
  });

  test("the default chain, if switched on", async () => {
    const { ARM_CLIENT_ID, ARM_TENANT_ID, ARM_CLIENT_SECRET } = emulator.env;
    const chain = {
      AZURE_TOKEN_CREDENTIALS: "EnvironmentCredential",
      AZURE_CLIENT_ID: ARM_CLIENT_ID,
      AZURE_TENANT_ID: ARM_TENANT_ID,
      AZURE_CLIENT_SECRET: ARM_CLIENT_SECRET,
    };
    Object.assign(process.env, chain);
    try {
      const azure = emulator.azure({ ...NO_IDENTITY, ARM_USE_DEFAULT_AZURE_CREDENTIAL: "true" });
      expect(await registryClaims(azure)).toMatchObject(asDeployer);
    } finally {
      for (const name of Object.keys(chain)) delete process.env[name];
    }
  });
});

describe("one line explains", () => {
  afterEach(() => expect.hasAssertions());

  async function expectRefusal(env: NodeJS.ProcessEnv, code: Code, ...words: (string | RegExp)[]) {
    const refused = await refusal(emulator.azure(env));
    expect(refused.code).toBe(code);
    for (const word of words) expect(refused.text).toMatch(word);
    expect(refused.text.length).toBeLessThan(900);
    expect(refused.text).not.toMatch(/deployer~|actions-request-token|aka\.ms|\bat .*\.js/);
  }

  test("a wrong secret", () =>
    expectRefusal(
      { ARM_CLIENT_SECRET: "deployer~wrong" },
      "AZURE_CREDENTIAL_REJECTED",
      /^Azure: service principal aaaaaaaa-.* of tenant 1111.* \(client secret from ARM_CLIENT_SECRET\) was rejected: AADSTS7000215: Invalid client secret provided \[/,
      "Hint: Set the value of the client secret, not its ID",
      /Detail: correlation ID [0-9a-f-]{36}/,
    ));

  test("an unknown tenant", () =>
    expectRefusal(
      { ARM_TENANT_ID: "99999999-9999-4999-8999-999999999999" },
      "AZURE_CREDENTIAL_REJECTED",
      "AADSTS90002: Tenant",
      "Hint: Check the tenant ID",
    ));

  test("an unknown application", () =>
    expectRefusal(
      { ARM_CLIENT_ID: "99999999-9999-4999-8999-999999999999" },
      "AZURE_CREDENTIAL_REJECTED",
      "AADSTS700016",
      "was not found in this tenant",
    ));

  test("an invalid tenant ID", () =>
    expectRefusal({ ARM_TENANT_ID: "not a tenant!" }, "AZURE_CREDENTIAL_REJECTED", "Invalid tenant id provided"));

  test("a certificate that cannot be read, or does not belong to the application", async () => {
    const file = path.join(folder, "certificate");
    const certificate = { ARM_CLIENT_CERTIFICATE_PATH: file };
    const unreadable =
      /^Azure: ARM_CLIENT_CERTIFICATE_PATH points to \S+, which does not (exist|open with the given password) \[/;
    await expectRefusal(certificate, "AZURE_CONFIGURATION_INVALID", unreadable);
    const unknownCertificate = await selfSigned("");
    writeFileSync(file, pfx("modern", unknownCertificate, "open sesame"));
    const wrong = { ...certificate, ARM_CLIENT_CERTIFICATE_PASSWORD: "wrong" };
    await expectRefusal(wrong, "AZURE_CONFIGURATION_INVALID", unreadable, "azure-native:clientCertificatePassword");
    const right = { ...certificate, ARM_CLIENT_CERTIFICATE_PASSWORD: "open sesame" };
    await expectRefusal(right, "AZURE_CREDENTIAL_REJECTED", "AADSTS700027");
  });

  test("an OIDC token of another subject, a missing token file, and a run that is not allowed to request one", async () => {
    const ARM_OIDC_TOKEN = emulator.server.issuer.assertion({ audience: AUDIENCE, subject: "repo:evil" });
    const oidc = { ...WITHOUT_SECRET, ARM_USE_OIDC: "true" };
    await expectRefusal(
      { ...oidc, ARM_OIDC_TOKEN },
      "AZURE_CREDENTIAL_REJECTED",
      "AADSTS700213",
      "federated credential for this subject",
    );
    await expectRefusal(
      { ...oidc, ARM_OIDC_TOKEN_FILE_PATH: "/nowhere" },
      "AZURE_CREDENTIAL_MISSING",
      "ARM_OIDC_TOKEN_FILE_PATH",
      "ENOENT",
    );
    await expectRefusal(
      { ...WITHOUT_SECRET, ...REQUEST, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "old" },
      "AZURE_CREDENTIAL_REJECTED",
      githubRequestHost,
      "was rejected: HTTP 401",
      "id-token: write",
    );
  });

  test("a managed identity that the machine does not have", () =>
    expectRefusal(
      { ...NO_IDENTITY, ARM_USE_MSI: "true", ARM_CLIENT_ID: "99999999-9999-4999-8999-999999999999" },
      "AZURE_CREDENTIAL_MISSING",
      "Azure: the managed identity is not available on this machine",
      "ARM_USE_MSI",
    ));

  test("an Azure CLI that is not installed or not logged in", async () => {
    await withPath("/nonexistent", () =>
      expectRefusal(
        NO_IDENTITY,
        "AZURE_CREDENTIAL_MISSING",
        "Azure: the Azure CLI is not installed, and no other credential is configured",
        "ARM_CLIENT_SECRET",
      ),
    );
    await withCommand("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1", () =>
      expectRefusal(NO_IDENTITY, "AZURE_CREDENTIAL_MISSING", /the Azure CLI returned no token \(.*az login/),
    );
  });

  test("a sign-in host that is unavailable, with its status", async () => {
    shortenWaits();
    await emulator.control.faults({ host: "login.microsoftonline.com", status: 500 });
    await expectRefusal(
      {},
      "AZURE_UNAVAILABLE",
      "Azure: login.microsoftonline.com responded with HTTP 500",
      "HTTPS_PROXY",
      "NODE_EXTRA_CA_CERTS",
    );
  });

  test("a proxy that refuses the connection, with its name", async () => {
    await emulator.control.faults({ host: "login.microsoftonline.us", method: "CONNECT", status: 407 });
    await expectRefusal(
      { ARM_ENVIRONMENT: "usgovernment" },
      "AZURE_UNAVAILABLE",
      /login\.microsoftonline\.us.*proxy 127\.0\.0\.1:\d+.*407/,
    );
  });
});

function managedIdentity() {
  const identity = emulator.server.state.identities.find(({ kind }) => kind === "managedIdentity");
  if (!identity) throw new Error("the world has no managed identity");
  return identity;
}

/** Puts a command called `az` first on PATH. */
async function withCommand(script: string, run: () => Promise<void>): Promise<void> {
  const file = path.join(folder, "az");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  await withPath(`${folder}${path.delimiter}${process.env.PATH}`, run);
}

async function withPath(value: string, run: () => Promise<void>): Promise<void> {
  const before = process.env.PATH;
  process.env.PATH = value;
  try {
    await run();
  } finally {
    process.env.PATH = before;
  }
}
