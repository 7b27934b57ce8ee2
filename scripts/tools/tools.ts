/** Command-line tools that tests and bench use, built from pinned Go modules. */
import { existsSync } from "node:fs";
import path from "node:path";
import { cached, cacheFolder, fingerprint } from "../cache";
import { goBuild, missingGo } from "../go-build";

export type Tools = { folder: string } | { folder: undefined; reason: string };

/** Returns a folder with `crane` and `registry` (CNCF distribution), or the reason why they cannot be built. */
export function toolsFolder(): Promise<Tools> {
  return build("tools", __dirname, "building crane and registry, which tests use (about a minute on two cores)", [
    "github.com/google/go-containerregistry/cmd/crane",
    "github.com/distribution/distribution/v3/cmd/registry",
  ]);
}

/** Returns a folder with `regsync`, or the reason why it cannot be built. Only the bench uses it. */
export function regsyncFolder(): Promise<Tools> {
  const module = path.join(__dirname, "regsync");
  return build("regsync", module, "building regsync, which the bench compares with (half a minute)", [
    "github.com/regclient/regclient/cmd/regsync",
  ]);
}

/** Returns a folder with `oras` and `regctl`, or the reason why they cannot be built. Only `npm run conformance` uses them. */
export function copyToolsFolder(): Promise<Tools> {
  const module = path.join(__dirname, "copy-tools");
  return build("copy-tools", module, "building oras and regctl, which are compared with (half a minute)", [
    "oras.land/oras/cmd/oras",
    "github.com/regclient/regclient/cmd/regctl",
  ]);
}

/** Returns a folder with `cosign`, or the reason why it cannot be built. Only `npm run conformance` uses it. */
export function cosignFolder(): Promise<Tools> {
  const module = path.join(__dirname, "cosign");
  const title = "building cosign, which signs and verifies (four minutes of processor time, 1.5 GB of modules)";
  return build("cosign", module, title, ["github.com/sigstore/cosign/v3/cmd/cosign"], { isLong: true });
}

async function build(
  name: string,
  module: string,
  title: string,
  packages: readonly string[],
  { isLong = false } = {},
): Promise<Tools> {
  const pins = [path.join(module, "go.mod"), path.join(module, "go.sum")];
  const recipe = `${name}-${await fingerprint([...pins, __filename], [process.platform, process.arch])}`;
  if (!existsSync(path.join(cacheFolder(), recipe))) {
    const reason = await missingGo(module);
    if (reason !== undefined) return { folder: undefined, reason };
  }
  const folder = await cached(recipe, (unfinished) =>
    goBuild({ title, module, packages, flags: ["-ldflags", "-s -w"], isLong }, unfinished),
  );
  return { folder };
}
