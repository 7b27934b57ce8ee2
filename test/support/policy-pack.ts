/** Runs policy packs with the engine. */
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const checkout = path.join(__dirname, "../..");

/** A runtime that no language host serves: for such a one, the engine starts `pulumi-analyzer-policy-<runtime>` from PATH. */
const RUNTIME = "nodejs-script";

export interface PolicyPack {
  /** For `--policy-pack`. */
  readonly folder: string;
  /** To be put on PATH. */
  readonly bin: string;
}

/**
 * Copies a policy pack of examples/, and makes the script that starts it: the one that Pulumi's releases start for the runtime `nodejs`
 * where the language host cannot run plugins, as the one that is built from Go modules cannot.
 */
export function installPolicyPack(example: string): PolicyPack {
  const root = mkdtempSync(path.join(tmpdir(), "policy-pack-"));
  folders.add(root);
  const folder = path.join(root, "pack");
  cpSync(path.join(checkout, "examples", example), folder, {
    recursive: true,
    filter: (file) => path.basename(file) !== "node_modules",
  });
  symlinkSync(path.join(checkout, "node_modules"), path.join(folder, "node_modules"));
  writeFileSync(path.join(folder, "PulumiPolicy.yaml"), `runtime: ${RUNTIME}\n`);
  const script = require.resolve("@pulumi/pulumi/cmd/run-policy-pack");
  const file = path.join(root, `pulumi-analyzer-policy-${RUNTIME}`);
  writeFileSync(file, `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`, { mode: 0o755 });
  return { folder, bin: root };
}

const folders = new Set<string>();
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
