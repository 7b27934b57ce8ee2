/** What a look-up loads: it must not cost the start-up time of a program. */
import { execFileSync } from "node:child_process";
import path from "node:path";
import { environment } from "../../scripts/environment";

const room = path.resolve(__dirname, "../../provider/registry");

/** Runs a script in a process of its own, and returns the packages that it loaded. */
function packagesLoadedBy(script: string): string[] {
  const text = `(async () => { ${script} })().then(() => {
    const packages = Object.keys(require.cache).flatMap((file) => /node_modules.((?:@[^/]+.)?[^/]+)/.exec(file)?.[1] ?? []);
    console.log(JSON.stringify([...new Set(packages)].filter((name) => name !== "tsx" && name !== "esbuild")));
  });`;
  const output = execFileSync(process.execPath, ["--import", "tsx", "--eval", text], {
    cwd: path.join(room, "../.."),
    env: environment("/nonexistent"),
    encoding: "utf8",
  });
  return JSON.parse(output);
}

test.each([undefined, "http://127.0.0.1:9"])("a look-up loads no package (proxy: %s)", (proxy) => {
  const script = `
    ${proxy === undefined ? "" : `process.env.HTTPS_PROXY = "${proxy}";`}
    const { RegistryClient } = require("${room}/client.ts");
    const options = { host: "127.0.0.1:9", side: "source", credential: { kind: "anonymous" }, timeoutMs: 0 };
    await new RegistryClient(options).head("app", "1").catch(() => {});`;
  expect(packagesLoadedBy(script)).toEqual([]);
});

test("the list of public suffixes is loaded only for credentials that would be sent to another host", () => {
  const script = (realm: string) => `
    const { mayReceiveCredentials } = require("${room}/realm.ts");
    mayReceiveCredentials("registry.example.com", new URL("${realm}"));`;
  expect(packagesLoadedBy(script("https://registry.example.com/token"))).toEqual([]);
  expect(packagesLoadedBy(script("https://auth.example.org/token"))).toEqual([]);
  expect(packagesLoadedBy(script("https://auth.example.com/token"))).toContain("tldts");
});
