/** Certificate files of service principals, PEM and PFX. */
import "reflect-metadata";
import { execFileSync } from "node:child_process";
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { X509CertificateGenerator } from "@peculiar/x509";
import { readClientCertificate } from "../../../provider/azure/client-certificate";
import { failureOf, formatFailure } from "../../../provider/failure/failure";
import { fromForge, pfx } from "../../support/pfx";
import { selfSigned } from "../../support/self-signed";

type Signed = Awaited<ReturnType<typeof selfSigned>>;

const PASSWORD = "open sesame";
const NOT_ASCII = "Sésam öffne dich €";

let folder: string;
let own: Signed;
let issuer: Signed;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "client-certificate-"));
  [own, issuer] = await Promise.all([selfSigned(PASSWORD), selfSigned("")]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const certificatePath = () => path.join(folder, "certificate");

function read(content: string | Buffer, password = ""): Promise<string> {
  writeFileSync(certificatePath(), content);
  return readPath(password);
}

function readPath(password = ""): Promise<string> {
  const principal = { tenantId: "tenant", clientId: "client", from: "ARM_CLIENT_CERTIFICATE_PATH" };
  return readClientCertificate({
    kind: "certificate",
    ...principal,
    path: certificatePath(),
    ...(password && { password }),
  });
}

/** What Entra needs: the key, and the thumbprints in order. */
function summary(pem: string): { key: string; thumbprints: string[] } {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? [];
  return {
    key: createPrivateKey(pem).export({ type: "pkcs8", format: "pem" }).toString(),
    thumbprints: certificates.map((each) => new X509Certificate(each).fingerprint256),
  };
}

describe("reads, with the certificate of the key first,", () => {
  const expected = () => ({
    key: own.key,
    thumbprints: [own, issuer].map(({ certificate }) => new X509Certificate(certificate).fingerprint256),
  });

  test.each(["", PASSWORD, NOT_ASCII])(
    "a PFX file of OpenSSL 3 and one of earlier days, password '%s'",
    async (password) => {
      const content = { ...own, chain: issuer.certificate };
      for (const kind of ["modern", "legacy"] as const) {
        expect([kind, summary(await read(pfx(kind, content, password), password))]).toEqual([kind, expected()]);
      }
    },
  );

  test("a PFX file without any password, in which the issuer comes first", async () => {
    const content = { ...own, chain: issuer.certificate };
    expect(summary(await read(fromForge("modern", content, null)))).toEqual(expected());
  });

  // `openssl -sigopt rsa_padding_mode:pss` uses 222 bytes of salt for such a key: a length of two bytes.
  test.each([32, 222])("a PFX file whose certificate is signed by RSASSA-PSS, %d bytes of salt", async (saltLength) => {
    const algorithm = { name: "RSA-PSS", hash: "SHA-256", saltLength };
    const [privateKey, publicKey] = await Promise.all([
      crypto.subtle.importKey(
        "pkcs8",
        createPrivateKey(own.key).export({ type: "pkcs8", format: "der" }),
        algorithm,
        true,
        ["sign"],
      ),
      crypto.subtle.importKey(
        "spki",
        createPublicKey(own.key).export({ type: "spki", format: "der" }),
        algorithm,
        true,
        ["verify"],
      ),
    ]);
    const signed = await X509CertificateGenerator.createSelfSigned({
      name: "CN=deployer",
      keys: { privateKey, publicKey },
      signingAlgorithm: algorithm,
    });
    const certificate = signed.toString("pem");
    const thumbprints = [new X509Certificate(certificate).fingerprint256];
    const content = { key: own.key, certificate };
    for (const file of [pfx("modern", content, PASSWORD), fromForge("modern", content, PASSWORD)]) {
      expect(summary(await read(file, PASSWORD))).toEqual({ key: own.key, thumbprints });
    }
  });

  test.each(["X509 CERTIFICATE", "TRUSTED CERTIFICATE"])("a PEM file with the label %s", async (label) => {
    const pem = (own.certificate + issuer.certificate).replaceAll("CERTIFICATE", label);
    expect(summary(await read(pem + own.key))).toEqual(expected());
  });

  test("a PEM file, in any order, its key encrypted or not", async () => {
    const { certificate, key, encryptedKey } = own;
    expect(summary(await read(issuer.certificate + key + certificate))).toEqual(expected());
    expect(summary(await read(key + issuer.certificate + certificate, "not needed"))).toEqual(expected());
    expect(summary(await read(encryptedKey + issuer.certificate + certificate, PASSWORD))).toEqual(expected());
  });
});

describe("one line explains", () => {
  afterEach(() => expect.hasAssertions());

  /** Without content, of what is at the path already. */
  async function expectFailure(reason: string, hint: string, content?: string | Buffer, password = "") {
    const reading = content === undefined ? readPath(password) : read(content, password);
    const failure = await reading.then(() => undefined, failureOf);
    if (!failure) throw new Error("the file was read, or something else was thrown");
    expect(failure).toEqual({
      code: "AZURE_CONFIGURATION_INVALID",
      side: "Azure",
      object: "ARM_CLIENT_CERTIFICATE_PATH",
      reason: `points to ${certificatePath()}, ${reason}`,
      hints: [expect.stringContaining(hint)],
    });
    expect(formatFailure(failure)).not.toContain(password || PASSWORD);
  }

  test("a missing file", async () => {
    rmSync(certificatePath(), { force: true });
    await expectFailure("which does not exist", "Check ARM_CLIENT_CERTIFICATE_PATH");
  });

  test.each(["a folder", "a named pipe"])("%s", async (what) => {
    const name = certificatePath();
    rmSync(name, { force: true });
    if (what === "a folder") mkdirSync(name);
    else execFileSync("mkfifo", [name]);
    const failure = expectFailure("which is not a regular file", "certificate and its private key");
    await failure.finally(() => rmSync(name, { recursive: true }));
  });

  test("a file that is too large", () =>
    expectFailure("which is larger than 1 MB", "certificate and its private key", own.key.padEnd(1_000_001)));

  test("a file with an unsupported cipher", async () => {
    const reason = "which uses an unsupported cipher";
    for (const file of [pfx("rare", own, PASSWORD), fromForge("rare", own, PASSWORD)]) {
      await expectFailure(reason, "openssl pkcs12 -export", file, PASSWORD);
    }
    // The same key with an unknown cipher.
    const [, base64 = ""] = own.encryptedKey.split(/-----.+?-----/);
    const hex = Buffer.from(base64, "base64").toString("hex").replace("60864801650304012a", "60864801650304017f");
    const key = own.encryptedKey.replace(base64, `\n${Buffer.from(hex, "hex").toString("base64")}\n`);
    await expectFailure(reason, "openssl pkcs12 -export", own.certificate + key, PASSWORD);
  });

  test("a damaged certificate beside an encrypted key with the right password", () =>
    expectFailure(
      "which is not a valid PEM or PFX file",
      "certificate and its private key",
      own.certificate.replace(/MII/, "???") + own.encryptedKey,
      PASSWORD,
    ));

  test("a file that is neither PFX nor PEM, or damaged", async () => {
    const good = pfx("modern", own, PASSWORD);
    const damaged = own.certificate.replace(/MII/, "???");
    for (const content of ["", "hello", randomBytes(500), good.subarray(0, 1000), damaged + own.key]) {
      await expectFailure("which is not a valid PEM or PFX file", "certificate and its private key", content, PASSWORD);
    }
  });

  test.each(["modern", "legacy"] as const)("a PFX file whose password is wrong or missing (%s)", async (kind) => {
    const setting = "ARM_CLIENT_CERTIFICATE_PASSWORD (azure-native:clientCertificatePassword)";
    await expectFailure(
      "which does not open with the given password",
      `Correct ${setting}`,
      pfx(kind, own, PASSWORD),
      "wrong",
    );
    await expectFailure("which requires a password", `Set ${setting}`, pfx(kind, own, PASSWORD));
  });

  test("a PEM file whose password is wrong or missing", async () => {
    const pem = own.certificate + own.encryptedKey;
    await expectFailure(
      "which does not open with the given password",
      "Correct ARM_CLIENT_CERTIFICATE_PASSWORD",
      pem,
      "wrong",
    );
    await expectFailure("which requires a password", "Set ARM_CLIENT_CERTIFICATE_PASSWORD", pem);
  });

  test("a file without a key, or with one that Entra does not support", async () => {
    const hint = "Export the certificate together with its private key";
    const { certificate } = own;
    const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    await expectFailure("which contains no RSA private key", hint, certificate);
    await expectFailure("which contains no RSA private key", hint, pfx("modern", { certificate }, PASSWORD), PASSWORD);
    await expectFailure(
      "which contains no RSA private key",
      hint,
      certificate + elliptic.export({ type: "pkcs8", format: "pem" }),
    );
  });

  test("a file whose certificate is missing or belongs to another key", async () => {
    const hint = "the certificate and its key into one file";
    for (const content of [own.key, own.key + issuer.certificate]) {
      await expectFailure("which contains no certificate for its private key", hint, content);
    }
  });
});
