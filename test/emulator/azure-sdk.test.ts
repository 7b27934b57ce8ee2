import "reflect-metadata";
import { execFile } from "node:child_process";
import { KeyObject, webcrypto } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import * as x509 from "@peculiar/x509";
import { environment } from "../../scripts/environment";
import { countByHost, useEmulator } from "../support/emulator";

const program = path.join(__dirname, "programs", "azure-sdk.cjs");

const box = useEmulator();

beforeEach(() => box.control.clearRequests());

/** Runs Azure's own SDK in a process of its own, where the certificate authority is trusted from the start. */
function sdk(args: string[], variables: NodeJS.ProcessEnv = {}): Promise<Record<string, unknown>> {
  const env = environment(path.dirname(box.emulator.ca), { ...box.env, ...variables });
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, ...args], { env }, (error, stdout, stderr) => {
      if (stdout === "") reject(error ?? new Error(stderr));
      else resolve(JSON.parse(stdout));
    });
  });
}

const hello = "docker.io/library/hello-world:latest";

test("the JavaScript SDK imports an image with production host names and environment variables alone", async () => {
  expect(await sdk(["secret", hello, "sdk:secret"])).toEqual({ loginServer: "myregistry.azurecr.io" });
  expect(await box.control.image("myregistry.azurecr.io/sdk:secret")).toEqual(await box.control.image(hello));
  const clients = await box.control.requests({ from: "client" });
  expect(Object.keys(countByHost(clients))).toEqual(["login.microsoftonline.com", "management.azure.com"]);
  expect(clients.some(({ refused }) => refused)).toBe(false);
});

test("the SDK reports a failed operation in the service's words", async () => {
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
  const file = path.join(path.dirname(box.emulator.ca), "deployer.pem");
  writeFileSync(file, `${KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" })}\n${certificate}\n`);
  const refused = await sdk(["certificate", hello, "sdk:certificate"], { CERTIFICATE_FILE: file });
  expect(refused.message).toContain("AADSTS700027");
  await box.control.call(
    "PUT",
    "/state",
    {},
    { identities: [{ clientId: box.env.ARM_CLIENT_ID, certificates: [certificate] }] },
  );
  expect(await sdk(["certificate", hello, "sdk:certificate"], { CERTIFICATE_FILE: file })).toHaveProperty(
    "loginServer",
  );
});

test("the SDK signs in with an assertion of a workflow run, and as the machine itself", async () => {
  const { assertion } = await box.control.call<{ assertion: string }>("POST", "/assertion", {}, {});
  expect(await sdk(["assertion", hello, "sdk:assertion"], { ASSERTION: assertion })).toHaveProperty("loginServer");
  expect(await sdk(["managed identity", hello, "sdk:machine"])).toHaveProperty("loginServer");
  expect(await box.control.requests({ host: "169.254.169.254", status: 200 })).toHaveLength(1);
});
