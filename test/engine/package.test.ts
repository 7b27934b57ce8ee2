import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { devDependencies } from "../../package.json";
import { runOrFail } from "../../scripts/process";
import { startBox } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { machineEnvironment } from "../support/environment";
import { imageProgram } from "./programs";

const checkout = path.join(__dirname, "../..");

describe("the package as users get it", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "package-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("is installed from its tarball into a fresh project, and runs there", async () => {
    await npm(checkout, "pack", "--ignore-scripts", "--pack-destination", folder);
    const [tarball] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
    writeFileSync(path.join(folder, "package.json"), JSON.stringify({ private: true }));
    await npm(
      folder,
      "install",
      "--no-audit",
      "--no-fund",
      "--prefer-offline",
      `./${tarball}`,
      `@pulumi/pulumi@${devDependencies["@pulumi/pulumi"]}`,
    );
    expect(readdirSync(path.join(folder, "node_modules/pulumi-acr-import")).sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "dist",
      "package.json",
    ]);
    expect(existsSync(path.join(folder, "node_modules/jest"))).toBe(false);

    const { env, control } = await startBox();
    const project = await PulumiProject.create({
      env,
      nodeModules: path.join(folder, "node_modules"),
      program: imageProgram({ registry: "myregistry", source: "docker.io/library/hello-world" }),
    });
    expect(await project.up()).toMatchObject({ exitCode: 0, changes: { create: 1 } });
    expect(await project.up()).toMatchObject({ exitCode: 0, changes: { same: 1 } });
    const source = await control.image("docker.io/library/hello-world:latest");
    expect(await control.image("myregistry.azurecr.io/library/hello-world:latest")).toEqual(source);
    expect(await project.destroy()).toMatchObject({ exitCode: 0, changes: { delete: 1 } });
  }, 300_000);
});

function npm(cwd: string, ...args: string[]): Promise<string> {
  return runOrFail("npm", args, { cwd, env: machineEnvironment, timeout: 240_000 });
}
