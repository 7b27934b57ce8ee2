import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { readClientCertificate } from "../../provider/azure/client-certificate";
import { failureOf, sentence } from "../../provider/failure";
import { fromForge, pfx } from "../support/pfx";
import { selfSigned } from "../support/self-signed";

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

function read(content: string | Buffer | undefined, password = ""): Promise<string> {
  const name = path.join(folder, "certificate");
  if (content === undefined) rmSync(name, { force: true });
  else writeFileSync(name, content);
  const principal = { tenantId: "tenant", clientId: "client", from: "ARM_CLIENT_CERTIFICATE_PATH" };
  return readClientCertificate({ kind: "certificate", ...principal, path: name, ...(password && { password }) });
}

/** What counts for Entra: the key, and the thumbprints in their order. */
function summary(pem: string): { key: string; thumbprints: string[] } {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? [];
  return {
    key: createPrivateKey(pem).export({ type: "pkcs8", format: "pem" }).toString(),
    thumbprints: certificates.map((each) => new X509Certificate(each).fingerprint256),
  };
}

describe("read alike, the key's own certificate first:", () => {
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

  test("a PEM file, in any order, its key encrypted or not", async () => {
    const { certificate, key, encryptedKey } = own;
    expect(summary(await read(issuer.certificate + key + certificate))).toEqual(expected());
    expect(summary(await read(key + issuer.certificate + certificate, "not needed"))).toEqual(expected());
    expect(summary(await read(encryptedKey + issuer.certificate + certificate, PASSWORD))).toEqual(expected());
  });
});

describe("one line is given for", () => {
  afterEach(() => expect.hasAssertions());

  async function expectRefusal(reason: string, remedy: string, content: string | Buffer | undefined, password = "") {
    const failure = await read(content, password).then(() => undefined, failureOf);
    if (!failure) throw new Error("the file was read, or something else was thrown");
    const words = `Azure: ARM_CLIENT_CERTIFICATE_PATH names ${path.join(folder, "certificate")}, ${reason}`;
    expect(failure).toEqual({
      code: "AZURE_CONFIGURATION_INVALID",
      summary: words,
      remedy: expect.stringContaining(remedy),
    });
    expect(sentence(failure)).not.toContain(password || PASSWORD);
  }

  test("a file that is not there", () =>
    expectRefusal("which does not exist", "correct ARM_CLIENT_CERTIFICATE_PATH", undefined));

  test("a file that is neither PFX nor PEM, or is damaged", async () => {
    const good = pfx("modern", own, PASSWORD);
    const damaged = own.certificate.replace(/MII/, "???");
    for (const content of ["", "hello", randomBytes(500), good.subarray(0, 1000), damaged + own.key]) {
      await expectRefusal(
        "which is no PEM or PFX file, or a damaged one",
        "certificate and private key",
        content,
        PASSWORD,
      );
    }
  });

  test.each(["modern", "legacy"] as const)("a PFX file whose password is wrong or lacking (%s)", async (kind) => {
    const setting = "ARM_CLIENT_CERTIFICATE_PASSWORD (azure-native:clientCertificatePassword)";
    await expectRefusal("which its password does not open", `correct ${setting}`, pfx(kind, own, PASSWORD), "wrong");
    await expectRefusal("which needs a password", `set ${setting}`, pfx(kind, own, PASSWORD));
  });

  test("a PEM file whose password is wrong or lacking", async () => {
    const pem = own.certificate + own.encryptedKey;
    await expectRefusal("which its password does not open", "correct ARM_CLIENT_CERTIFICATE_PASSWORD", pem, "wrong");
    await expectRefusal("which needs a password", "set ARM_CLIENT_CERTIFICATE_PASSWORD", pem);
  });

  test("a file without a key, or with one that Entra does not take", async () => {
    const remedy = "export the certificate together with its private key";
    const { certificate } = own;
    const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    await expectRefusal("which holds no RSA private key", remedy, certificate);
    await expectRefusal("which holds no RSA private key", remedy, pfx("modern", { certificate }, PASSWORD), PASSWORD);
    await expectRefusal(
      "which holds no RSA private key",
      remedy,
      certificate + elliptic.export({ type: "pkcs8", format: "pem" }),
    );
  });

  test("a file whose certificate is missing or another key's", async () => {
    const remedy = "the certificate and its key into one file";
    for (const content of [own.key, own.key + issuer.certificate]) {
      await expectRefusal("which holds no certificate for its private key", remedy, content);
    }
  });
});
