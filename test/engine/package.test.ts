/** The packed package in a project of a user. */
import { existsSync, lstatSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { devDependencies } from "../../package.json";
import { runOrFail } from "../../scripts/process";
import { startTestEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { machineEnvironment } from "../support/environment";

const checkout = path.join(__dirname, "../..");
const tools = ["@pulumi/pulumi", "typescript", "@types/node"] as const;

const program = `
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage, type ImportedImageArgs } from "pulumi-acr-import";

const args: ImportedImageArgs = {
  registry: pulumi.output("myregistry"),
  source: { image: "docker.io/tensorflow/tensorflow:latest-gpu", credentials: { username: "emulator", password: pulumi.secret("dckr_pat_emulator") } },
  targetTags: [pulumi.interpolate\`tensorflow:\${pulumi.output("gpu")}\`],
  onDelete: "untag",
};
const image = new ImportedImage("image", args, { customTimeouts: { create: "10m" } });
const hello = new ImportedImage("hello", { registry: "myregistry", source: "docker.io/library/hello-world" });
// @ts-expect-error: a misspelt policy is found while typing
const wrong: ImportedImageArgs = { registry: "r", source: "s", onDelete: "remove" };
export const reference: pulumi.Output<string> = image.reference;
export const platforms: pulumi.Output<string[] | undefined> = hello.platforms;
void wrong;
`;

/** Runs the npm that started the tests, or the one on PATH. */
function npm(cwd: string, ...args: string[]): Promise<string> {
  const { npm_execpath: cli = "" } = machineEnvironment;
  const [command, ...first] = path.basename(cli) === "npm-cli.js" ? [process.execPath, cli] : ["npm"];
  return runOrFail(command ?? "npm", [...first, ...args], { cwd, env: machineEnvironment });
}

test("the packed package, installed into a fresh TypeScript project, compiles and runs", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "package-test-"));
  try {
    // dist/ is already built, and other tests use it at the same time.
    await npm(checkout, "pack", "--ignore-scripts", "--pack-destination", folder);
    const [tarball = ""] = readdirSync(folder);
    const user = path.join(folder, "user");
    await mkdir(user);
    await writeFile(path.join(user, "package.json"), JSON.stringify({ name: "user", private: true }));
    const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    await npm(user, "install", ...quiet, `../${tarball}`, ...tools.map((name) => `${name}@${devDependencies[name]}`));
    const installed = path.join(user, "node_modules/pulumi-acr-import");
    expect(lstatSync(installed).isSymbolicLink()).toBe(false);
    expect(readdirSync(installed).sort()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json"]);
    expect(existsSync(path.join(user, "node_modules/@azure/arm-containerregistry"))).toBe(true);
    expect(existsSync(path.join(user, "node_modules/jest"))).toBe(false);

    await writeFile(path.join(user, "index.ts"), program);
    const compiler = path.join(user, "node_modules/typescript/lib/tsc.js");
    const strict = ["--strict", "--noEmit", "--target", "es2022", "--module", "node16", "--moduleResolution", "node16"];
    await runOrFail(process.execPath, [compiler, ...strict, "--skipLibCheck", "--types", "node", "index.ts"], {
      cwd: user,
    });

    const { control, env } = await startTestEmulator();
    const project = await PulumiProject.create({
      env,
      program,
      language: "typescript",
      nodeModules: path.join(user, "node_modules"),
    });
    const up = await project.up();
    expect([up.exitCode, up.diagnostics("error"), up.changes]).toEqual([0, [], { create: 2 }]);
    const { digest } = await control.image("docker.io/tensorflow/tensorflow:latest-gpu");
    expect(await project.outputs()).toMatchObject({ reference: `myregistry.azurecr.io/tensorflow@${digest}` });
    expect((await project.preview()).changes).toEqual({ same: 2 });
    expect((await project.refresh()).changes).toEqual({ same: 2 });
    expect((await project.destroy()).changes).toEqual({ delete: 2 });
    expect(await control.digest("myregistry.azurecr.io/tensorflow:gpu")).toBeUndefined();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
