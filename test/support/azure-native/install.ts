/** Puts the stand-ins for azure-native's SDK and plugin where a Pulumi program and the engine look for the real ones. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import ts from "typescript";
import { VERSION } from "./sdk/azure-resource";

const installed = path.join(__dirname, "../../../node_modules");
const scope = "@pulumi";

/** Installs the plugin into a Pulumi home, where the engine finds it by version and needs no download. */
export function installPlugin({ PULUMI_HOME: home }: NodeJS.ProcessEnv): void {
  const folder = path.join(`${home}`, "plugins", `resource-azure-native-v${VERSION}`);
  mkdirSync(folder, { recursive: true });
  const [node, loader, plugin] = [process.execPath, require.resolve("tsx"), path.join(__dirname, "plugin.ts")];
  const script = `#!/bin/sh\nexec "${node}" --import "file://${loader}" "${plugin}" "$@"\n`;
  writeFileSync(path.join(folder, "pulumi-resource-azure-native"), script, { mode: 0o755 });
}

/**
 * A `node_modules` folder with the packages of this checkout and, as `@pulumi/azure-native`, the classes of `sdk/`: the
 * real package weighs 136 MB. Removed at the end of the test file.
 */
export function modulesWithSdk(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "azure-native-"));
  folders.add(folder);
  const modules = path.join(folder, "node_modules");
  mkdirSync(modules);
  for (const name of readdirSync(installed)) {
    if (name !== scope) symlinkSync(path.join(installed, name), path.join(modules, name));
  }
  const sdk = path.join(modules, scope, "azure-native");
  mkdirSync(sdk, { recursive: true });
  symlinkSync(path.join(installed, scope, "pulumi"), path.join(modules, scope, "pulumi"));
  for (const file of readdirSync(path.join(__dirname, "sdk"))) {
    const source = readFileSync(path.join(__dirname, "sdk", file), "utf8");
    const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
    writeFileSync(path.join(sdk, file), source);
    writeFileSync(
      path.join(sdk, file.replace(/ts$/, "js")),
      ts.transpileModule(source, { compilerOptions: options }).outputText,
    );
  }
  return modules;
}

const folders = new Set<string>();
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
