/** Builds the Pulumi engine from its Go modules, where the official release cannot be downloaded. */
import { chmod, copyFile } from "node:fs/promises";
import path from "node:path";
import { goBuild } from "../go-build";
import { pluginScript } from "./plugin-script";

const pulumi = path.join(__dirname, "pulumi");
const languageHost = path.join(__dirname, "language-host");

/** The files that determine a built engine. */
export const buildFiles = [pulumi, languageHost]
  .flatMap((module) => [path.join(module, "go.mod"), path.join(module, "go.sum")])
  .concat(__filename);

/** Builds the engine and its Node.js language host from Pulumi's Go modules. */
export async function buildEngine(version: string, folder: string): Promise<void> {
  const versionFlag = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`;
  await goBuild(
    {
      title:
        "building the Pulumi engine from its Go modules (about 4 minutes on two cores, seconds when Go has built it before)",
      module: pulumi,
      packages: ["github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"],
      flags: ["-tags", "osusergo,grpcnotrace", "-ldflags", `-s -w ${versionFlag}`],
    },
    folder,
  );
  await goBuild(
    {
      title: "building Pulumi's Node.js language host (about half a minute)",
      module: languageHost,
      packages: ["github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"],
      flags: ["-ldflags", "-s -w"],
    },
    folder,
  );
  const script = path.join(folder, "pulumi-resource-pulumi-nodejs");
  await copyFile(pluginScript(), script);
  await chmod(script, 0o755);
}
