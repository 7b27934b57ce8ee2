/** Tests with Azure's SDK for JavaScript as the client. */
import "reflect-metadata";
import { execFile } from "node:child_process";
import { KeyObject, webcrypto } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import * as x509 from "@peculiar/x509";
import { environment } from "../../scripts/environment";
import { countByHost, useEmulator } from "../support/emulator";

const program = path.join(__dirname, "programs", "azure-sdk.cjs");

const running = useEmulator();

beforeEach(() => running.control.clearRequests());

/** Runs the SDK in a child process, since Node reads NODE_EXTRA_CA_CERTS when it starts. */
function sdk(args: string[], variables: NodeJS.ProcessEnv = {}): Promise<Record<string, unknown>> {
  const env = environment(path.dirname(running.server.ca), { ...running.env, ...variables });
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, ...args], { env }, (error, stdout, stderr) => {
      if (stdout === "") reject(error ?? new Error(stderr));
      else resolve(JSON.parse(stdout));
    });
  });
}

const hello = "docker.io/library/hello-world:latest";

test("the SDK imports an image, with production host names and environment variables only", async () => {
  expect(await sdk(["secret", hello, "sdk:secret"])).toEqual({ loginServer: "myregistry.azurecr.io" });
  expect(await running.control.image("myregistry.azurecr.io/sdk:secret")).toEqual(await running.control.image(hello));
  const clients = await running.control.requests({ from: "client" });
  expect(Object.keys(countByHost(clients))).toEqual(["login.microsoftonline.com", "management.azure.com"]);
  expect(clients.some(({ refused }) => refused)).toBe(false);
});

test("the SDK reports the message of a failed operation", async () => {
  await sdk(["secret", hello, "sdk:twice"]);
  expect(await sdk(["secret", hello, "sdk:twice"])).toMatchObject({
    status: 400,
    code: "InvalidParameters",
    message: expect.stringMatching(
      /^Operation registries-.* sdk:twice Tag sdk:twice already exists in target registry\.$/,
    ),
  });
});

test("the SDK signs in with a certificate", async () => {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = (
    await x509.X509CertificateGenerator.createSelfSigned({ name: "CN=deployer", signingAlgorithm: algorithm, keys })
  ).toString("pem");
  const file = path.join(path.dirname(running.server.ca), "deployer.pem");
  writeFileSync(file, `${KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" })}\n${certificate}\n`);
  const refused = await sdk(["certificate", hello, "sdk:certificate"], { CERTIFICATE_FILE: file });
  expect(refused.message).toContain("AADSTS700027");
  await running.control.call(
    "PUT",
    "/state",
    {},
    { identities: [{ clientId: running.env.ARM_CLIENT_ID, certificates: [certificate] }] },
  );
  expect(await sdk(["certificate", hello, "sdk:certificate"], { CERTIFICATE_FILE: file })).toHaveProperty(
    "loginServer",
  );
});

test("the SDK signs in with an assertion of a workflow run, and with a managed identity", async () => {
  const { assertion } = await running.control.call<{ assertion: string }>("POST", "/assertion", {}, {});
  expect(await sdk(["assertion", hello, "sdk:assertion"], { ASSERTION: assertion })).toHaveProperty("loginServer");
  expect(await sdk(["managed identity", hello, "sdk:machine"])).toHaveProperty("loginServer");
  expect(await running.control.requests({ host: "169.254.169.254", status: 200 })).toHaveLength(1);
});
