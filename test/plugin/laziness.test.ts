import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { environment } from "../../scripts/environment";

const checkout = path.join(__dirname, "../..");
const heavy = [
  "@azure/identity",
  "@azure/arm-containerregistry",
  "@azure/core-rest-pipeline",
  "@azure/msal-node",
  "node-forge",
  "tldts",
];

/** Runs a script on dist/ in a process of its own, and says which of the packages that cost start-up time it loaded. */
function loadedBy(script: string): string[] {
  const text = `
    (async () => { ${script} })().then(() => {
      const files = Object.keys(require.cache);
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

const digest = `sha256:${"1".repeat(64)}`;
const known = {
  registry: "myregistry",
  source: "docker.io/library/node:22",
  targetTags: ["node:22"],
  registryId: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry",
  loginServer: "myregistry.azurecr.io",
  sourceDigest: digest,
  targets: { "node:22": digest },
  reference: `myregistry.azurecr.io/node@${digest}`,
  references: [`myregistry.azurecr.io/node@${digest}`],
};

test("the package itself loads nothing of Azure", () => {
  expect(loadedBy('require("pulumi-acr-import");')).toEqual([]);
});

test("the provider loads nothing of Azure", () => {
  expect(loadedBy('require("pulumi-acr-import/provider");')).toEqual([]);
});

test("check and diff of a resource that is known load nothing of Azure, whether it changes or not", () => {
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

test("the measure measures: a look-up of a registry loads the SDK", () => {
  const script = `
    const provider = require("pulumi-acr-import/provider");
    process.env.ARM_CLIENT_ID = process.env.ARM_TENANT_ID = "${"1".repeat(8)}-1111-4111-8111-111111111111";
    process.env.ARM_CLIENT_SECRET = "none";
    process.env.HTTPS_PROXY = "http://127.0.0.1:9";
    await provider.configure({ config: { get: () => undefined } });
    await provider.check({}, { registry: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry",
      source: "node:22", __program: { lookup: { digest: "${digest}" }, preview: true } }).catch(() => {});`;
  expect(loadedBy(script)).toContain("@azure/identity");
});

test("what users carry in their state leads to a file of the package", () => {
  const { exports } = JSON.parse(readFileSync(path.join(checkout, "package.json"), "utf8")) as {
    exports: Record<string, { default: string }>;
  };
  expect(exports["./provider"]?.default).toBe("./dist/plugin/lifecycle.js");
});
