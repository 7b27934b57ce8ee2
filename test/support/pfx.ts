/** Makes PFX files for tests of client certificates. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import forge from "node-forge";

/** The content of a PFX file, as PEM. */
interface Content {
  readonly key?: string;
  readonly certificate: string;
  readonly chain?: string;
}

/** The default ciphers of OpenSSL 3, those of earlier versions, and one that few libraries support. */
const CIPHERS = {
  modern: ["-keypbe", "AES-256-CBC", "-certpbe", "AES-256-CBC", "-macalg", "sha256"],
  legacy: ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-RC2-40", "-macalg", "sha1"],
  rare: ["-keypbe", "CAMELLIA-256-CBC", "-certpbe", "CAMELLIA-256-CBC", "-macalg", "sha256"],
} as const;

const AES_256_CBC = forge.asn1.oidToDer("2.16.840.1.101.3.4.1.42").getBytes();
const AES_256_GCM = forge.asn1.oidToDer("2.16.840.1.101.3.4.1.46").getBytes();

/** A PFX file as `openssl pkcs12 -export` writes it; without such an OpenSSL, an equivalent one from node-forge. */
export function pfx(kind: keyof typeof CIPHERS, content: Content, password: string): Buffer {
  return fromOpenssl(kind, content, password) ?? fromForge(kind, content, password);
}

function fromOpenssl(kind: keyof typeof CIPHERS, content: Content, password: string): Buffer | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), "pfx-"));
  try {
    const file = path.join(folder, "content.pem");
    writeFileSync(file, [content.key, content.certificate, content.chain].join("\n"));
    const out = path.join(folder, "out.pfx");
    const run = (...args: string[]) => execFileSync("openssl", args, { stdio: ["ignore", "pipe", "ignore"] });
    // OpenSSL 3 needs this option for RC2, and earlier versions do not have it.
    const legacy = kind === "legacy" && /^OpenSSL [3-9]/.test(String(run("version"))) ? ["-legacy"] : [];
    const options = [...legacy, ...CIPHERS[kind], ...(content.key ? [] : ["-nokeys"])];
    run("pkcs12", "-export", ...options, "-in", file, "-out", out, "-passout", `pass:${password}`);
    return readFileSync(out);
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A PFX file from node-forge; `null` is no password, which differs from an empty one. */
export function fromForge(kind: keyof typeof CIPHERS, content: Content, password: string | null): Buffer {
  const key = content.key ? (forge.pki.privateKeyFromPem(content.key) as forge.pki.rsa.PrivateKey) : null;
  const certificates = new Map(
    [content.chain, content.certificate].flatMap((pem) =>
      pem ? [[forge.pki.certificateFromPem(pem), pem] as const] : [],
    ),
  );
  const algorithm = kind === "legacy" ? "3des" : "aes256";
  // node-forge would encode some certificates differently from how they were signed.
  const asSigned = jest.spyOn(forge.pki, "certificateToAsn1").mockImplementation((certificate) => {
    const [block] = forge.pem.decode(certificates.get(certificate) ?? "");
    return forge.asn1.fromDer(block?.body ?? "");
  });
  try {
    const options = { algorithm, useMac: kind !== "rare" } as const;
    const file = forge.pkcs12.toPkcs12Asn1(key, [...certificates.keys()], password, options);
    const der = forge.asn1.toDer(file).getBytes();
    return Buffer.from(kind === "rare" ? der.replaceAll(AES_256_CBC, AES_256_GCM) : der, "latin1");
  } finally {
    asSigned.mockRestore();
  }
}
