/** Command-line tools that tests use, built from pinned Go modules. */
import { existsSync } from "node:fs";
import path from "node:path";
import { cached, cacheFolder, fingerprint } from "../cache";
import { goBuild, missingGo } from "../go-build";

export type Tools = { folder: string } | { folder: undefined; reason: string };

/** Returns a folder with `crane` and `registry` (CNCF distribution), or the reason why they cannot be built. */
export async function toolsFolder(): Promise<Tools> {
  const pins = [path.join(__dirname, "go.mod"), path.join(__dirname, "go.sum")];
  const name = `tools-${await fingerprint([...pins, __filename], [process.platform, process.arch])}`;
  if (!existsSync(path.join(cacheFolder(), name))) {
    const reason = await missingGo(__dirname);
    if (reason !== undefined) return { folder: undefined, reason };
  }
  const folder = await cached(name, (unfinished) =>
    goBuild(
      {
        title: "building crane and registry, which tests use (about a minute on two cores)",
        module: __dirname,
        packages: [
          "github.com/google/go-containerregistry/cmd/crane",
          "github.com/distribution/distribution/v3/cmd/registry",
        ],
        flags: ["-ldflags", "-s -w"],
      },
      unfinished,
    ),
  );
  return { folder };
}
