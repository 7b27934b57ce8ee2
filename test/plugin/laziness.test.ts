/** Which packages the program and the plugin process load. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { environment } from "../../scripts/environment";
import { digestOf, registryId } from "../support/fixtures";

const checkout = path.join(__dirname, "../..");
const heavy = [
  "@azure/identity",
  "@azure/arm-containerregistry",
  "@azure/core-rest-pipeline",
  "@azure/msal-node",
  "node-forge",
  "tldts",
  "re2js",
  "@sigstore/verify",
  "@sigstore/core",
  "cbor2",
];

/** Runs a script on dist/ in a new process and returns the expensive packages that it loaded. */
function loadedBy(script: string): string[] {
  const text = `
    // The SDK loads some of them itself.
    require("@pulumi/pulumi"); require("@pulumi/pulumi/dynamic");
    const before = new Set(Object.keys(require.cache));
    (async () => { ${script} })().then(() => {
      const files = Object.keys(require.cache).filter((file) => !before.has(file));
      const loaded = ${JSON.stringify(heavy)}.filter((name) => files.some((file) => file.includes("/node_modules/" + name + "/")));
      console.log(JSON.stringify({ loaded, files: files.length }));
    });`;
  const output = execFileSync(process.execPath, ["-e", text], {
    cwd: checkout,
    encoding: "utf8",
    env: environment("/nonexistent"),
  });
  const { loaded, files } = JSON.parse(output) as { loaded: string[]; files: number };
  expect(files).toBeGreaterThan(10);
  return loaded;
}

const digest = digestOf("1");
const known = {
  registry: "myregistry",
  source: "docker.io/library/node:22",
  targetTags: ["node:22"],
  registryId: registryId("myregistry"),
  loginServer: "myregistry.azurecr.io",
  sourceDigest: digest,
  targets: { "node:22": digest },
  reference: `myregistry.azurecr.io/node@${digest}`,
};

test("the package loads no Azure SDK", () => {
  expect(loadedBy('require("pulumi-acr-import");')).toEqual([]);
});

test("the provider loads no Azure SDK", () => {
  expect(loadedBy('require("pulumi-acr-import/provider");')).toEqual([]);
});

test("check and diff of a recorded resource load no Azure SDK, changed or not", () => {
  const script = `
    const provider = require("pulumi-acr-import/provider");
    const { sourceKey } = require("./dist/resource/source");
    const known = ${JSON.stringify(known)};
    await provider.configure({ config: { get: () => undefined } });
    for (const letter of ["1", "2"]) {
      const { registry, source, targetTags } = known;
      const lookup = { source: sourceKey({ source }), digest: "sha256:" + letter.repeat(64) };
      const { inputs, failures } = await provider.check(known, { registry, source, targetTags, __program: { lookup } });
      if (failures) throw new Error(JSON.stringify(failures));
      const { changes } = await provider.diff("id", { ...known, verifiedBy: "digest" }, inputs);
      if (changes !== (letter === "2")) throw new Error("changes: " + changes);
    }`;
  expect(loadedBy(script)).toEqual([]);
});

test("check and diff of an image that was verified load no code that verifies", () => {
  const script = `
    const provider = require("pulumi-acr-import/provider");
    const { sourceKey } = require("./dist/resource/source");
    const known = ${JSON.stringify(known)};
    const verify = { cosign: { issuer: "https://token.actions.githubusercontent.com", subject: "https://github\\.com/o/app/.*" } };
    await provider.configure({ config: { get: () => undefined } });
    const { registry, targetTags } = known;
    const lookup = { source: sourceKey(known), digest: known.sourceDigest };
    const key = require("node:crypto").createHash("sha256").update(JSON.stringify(verify)).digest("base64url");
    const recorded = { ...known, verify, verified: key + " " + known.sourceDigest, signature: "sha256:1", signedBy: "o" };
    const { inputs, failures } = await provider.check(recorded, { registry, source: known.source, targetTags, verify, __program: { lookup } });
    if (failures) throw new Error(JSON.stringify(failures));
    const { changes } = await provider.diff("id", { ...recorded, verifiedBy: "digest" }, inputs);
    if (changes) throw new Error("changed: " + JSON.stringify(inputs));
    const own = Object.keys(require.cache).filter((file) => file.includes("/dist/signature/"));
    if (own.length > 0) throw new Error("loaded: " + own);`;
  expect(loadedBy(script)).toEqual([]);
});

test("a registry look-up loads the Azure SDK", () => {
  const script = `
    const provider = require("pulumi-acr-import/provider");
    process.env.ARM_CLIENT_ID = process.env.ARM_TENANT_ID = "${"1".repeat(8)}-1111-4111-8111-111111111111";
    process.env.ARM_CLIENT_SECRET = "none";
    process.env.HTTPS_PROXY = "http://127.0.0.1:9";
    await provider.configure({ config: { get: () => undefined } });
    await provider.check({}, { registry: "${registryId("myregistry")}",
      source: "node:22", __program: { lookup: { digest: "${digest}" }, preview: true } }).catch(() => {});`;
  expect(loadedBy(script)).toContain("@azure/identity");
});

test("the provider path in the state of users is a file of the package", () => {
  const { exports } = JSON.parse(readFileSync(path.join(checkout, "package.json"), "utf8")) as {
    exports: Record<string, { default: string }>;
  };
  expect(exports["./provider"]?.default).toBe("./dist/plugin/lifecycle.js");
});
