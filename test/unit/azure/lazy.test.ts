/** When the Azure SDK is loaded. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pfx } from "../../support/pfx";
import { selfSigned } from "../../support/self-signed";

test("Azure's SDK is not loaded before Azure is asked", () => {
  const module = path.resolve(__dirname, "../../../provider/azure/azure.ts");
  const script = `
    const { Azure } = require(${JSON.stringify(module)});
    const azure = new Azure({});
    azure.describeIdentity();
    azure.isAzureHost("myregistry.azurecr.io").then((isAzure) => {
      const loaded = Object.keys(require.cache).filter((file) => /node_modules.@azure/.test(file));
      console.log(JSON.stringify({ isAzure, loaded }));
    });`;
  const output = execFileSync(process.execPath, ["--import", "tsx", "--eval", script], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual({ isAzure: true, loaded: [] });
});

test("what reads PFX files is not loaded for a PEM file", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "lazy-"));
  try {
    const signed = await selfSigned("");
    const files = { pem: path.join(folder, "a.pem"), pfx: path.join(folder, "a.pfx") };
    writeFileSync(files.pem, signed.certificate + signed.key);
    writeFileSync(files.pfx, pfx("modern", signed, ""));
    const module = path.resolve(__dirname, "../../../provider/azure/client-certificate.ts");
    const script = `
      const { readClientCertificate } = require(${JSON.stringify(module)});
      const isLoaded = () => Object.keys(require.cache).some((file) => /node_modules.node-forge/.test(file));
      const { pem, pfx } = ${JSON.stringify(files)};
      const loaded = {};
      readClientCertificate({ path: pem }).then(() => {
        loaded.pem = isLoaded();
        return readClientCertificate({ path: pfx });
      }).then(() => console.log(JSON.stringify({ ...loaded, pfx: isLoaded() })));`;
    const output = execFileSync(process.execPath, ["--import", "tsx", "--eval", script], { encoding: "utf8" });
    expect(JSON.parse(output)).toEqual({ pem: false, pfx: true });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
