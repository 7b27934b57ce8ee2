/** Every import command of Microsoft's articles, run by the Azure CLI and declared as an `ImportedImage`. */

import { environment } from "../../scripts/environment";
import { declareImages, type ImageArguments } from "../engine/programs";
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { registryAccount } from "../support/registry";
import { AzureCli, type AzureCliResult, importsToEnd } from "./azure-cli";
import { Crane } from "./crane";
import { type ImportCommand, importCommands } from "./import-commands";
import { printArguments, printCommand } from "./print";
import { privateHosts, startRealRegistries } from "./real-registries";
import { exitAndTime, recordRow } from "./results";

const emulator = useEmulator();
let az: AzureCli;
let signedIn: AzureCliResult;
let crane: Crane;
let project: PulumiProject;
let stopRegistries: (() => Promise<void>) | undefined;
/** The images that the program declares; each command adds one. */
const images: Record<string, ImageArguments> = {};

beforeAll(async () => {
  crane = await Crane.at(emulator);
  stopRegistries = await startRealRegistries(emulator, crane.home);
  for (const host of Object.values(privateHosts)) crane.logIn(host, registryAccount);
  az = new AzureCli(environment(crane.home, emulator.env));
  signedIn = await az.logIn();
  project = await PulumiProject.create({ env: emulator.env, program: "" });
});
afterAll(() => stopRegistries?.());

test("az login", () => {
  const { exitCode, seconds, stdout, message } = signedIn;
  const command = "`az login --service-principal --username … --password … --tenant …`";
  recordRow("commands", "", "signing in", command, exitAndTime(exitCode, seconds), "", "", "", "");
  expect([exitCode, message]).toEqual([0, ""]);
  const { ARM_SUBSCRIPTION_ID } = emulator.env;
  expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ id: ARM_SUBSCRIPTION_ID, state: "Enabled" }));
});

test.each(importCommands)("$id $scenario", async (command) => {
  const { theirs, ours } = await compareImports(command);
  // The article then lists the manifests of the multi-architecture image.
  if (command.id === "1") {
    const listed = [
      ["acr", "repository", "show-manifests", "--repository", "hello-world", "--name"],
      ["acr", "manifest", "list-metadata", "--name", "hello-world", "--registry"],
    ];
    for (const args of listed) await compareListings([...args, theirs], [...args, ours]);
  }
});

/** Runs the command, declares the same import into another registry, and compares the two registries. */
async function compareImports({ id, scenario, prepare }: ImportCommand): Promise<{ theirs: string; ours: string }> {
  const [theirs, ours] = [`azurecli${id}`, `pulumi${id}`];
  for (const name of [theirs, ours]) {
    await emulator.control.call("PUT", `/registries/${name}`);
    crane.logIn(hostOf(name));
  }
  const wanted = await prepare({ control: emulator.control, hosts: [hostOf(theirs), hostOf(ours)], push });

  const args = ["acr", "import", "--name", theirs, ...wanted.az];
  const imported = await az.run(...args);
  await importsToEnd(emulator.control);

  const name = `image${id}`;
  images[name] = { registry: ours, ...wanted.args };
  await project.write(declareImages(images));
  const began = performance.now();
  const up = await project.up();
  const seconds = (performance.now() - began) / 1000;

  const byAzureCli = await contentOf(theirs, wanted.targets);
  const byPulumi = await contentOf(ours, wanted.targets);
  const roots = Object.values(byAzureCli.manifests).map((manifests) => Object.keys(manifests)[0]);
  const isEqual =
    JSON.stringify(byAzureCli) === JSON.stringify(byPulumi) && roots.every((root) => root === wanted.digest);
  recordRow(
    "commands",
    id,
    scenario,
    `\`${printCommand(args)}\``,
    exitAndTime(imported.exitCode, imported.seconds),
    `\`${printArguments(wanted.args)}\``,
    exitAndTime(up.exitCode, seconds),
    String(new Set(Object.values(byPulumi.manifests).flatMap((manifests) => Object.keys(manifests))).size),
    isEqual ? "yes" : "no",
  );
  expect([imported.exitCode, imported.message]).toEqual([0, expect.not.stringContaining("ERROR")]);
  expect([up.exitCode, up.diagnostics("error")]).toEqual([0, []]);
  expect(up.steps(name).map(({ op }) => op)).toEqual(["create"]);
  expect(byPulumi).toEqual(byAzureCli);
  expect(roots).toEqual(wanted.targets.map(() => wanted.digest));
  expect((await project.state()).resource(name).outputs).toMatchObject({ sourceDigest: wanted.digest });
  // crane reads all layers too.
  for (const registry of [theirs, ours]) {
    for (const target of wanted.targets) await crane.run("validate", "--remote", `${hostOf(registry)}/${target}`);
  }
  return { theirs, ours };
}

interface Content {
  /** Per target: the manifests by digest, the root first. */
  readonly manifests: Record<string, Record<string, string>>;
  readonly tags: Record<string, readonly string[]>;
}

/** The manifests and tags of one registry, as crane reads them. */
async function contentOf(registry: string, targets: readonly string[]): Promise<Content> {
  const found: Content = { manifests: {}, tags: {} };
  for (const target of targets) {
    const repository = target.replace(/[:@].*$/, "");
    const manifests = await crane
      .manifests(`${hostOf(registry)}/${target}`)
      .catch((error: Error) => [["missing", error.message]]);
    found.manifests[target] = Object.fromEntries(manifests);
    found.tags[repository] ??= await crane
      .tags(`${hostOf(registry)}/${repository}`)
      .catch((error: Error) => [error.message]);
  }
  return found;
}

/** Compares the manifests that the Azure CLI lists in its own registry and in that of `ImportedImage`. */
async function compareListings(theirs: readonly string[], ours: readonly string[]): Promise<void> {
  const listed = await az.run(...theirs, "--output", "json");
  const digests = digestsIn(listed);
  const digestsOfOurs = digestsIn(await az.run(...ours, "--output", "json"));
  const { platforms } = (await project.state()).resource("image1").outputs ?? {};
  recordRow(
    "commands",
    "2",
    "its manifests",
    `\`${printCommand(theirs)}\``,
    exitAndTime(listed.exitCode, listed.seconds),
    `output \`platforms\`: ${(platforms as string[]).join(", ")}`,
    "",
    String(digestsOfOurs.length),
    String(digests) === String(digestsOfOurs) ? "yes" : "no",
  );
  const expected = [...(await crane.manifests(`${hostOf("pulumi1")}/hello-world:latest`)).keys()].sort();
  expect([digests, digestsOfOurs]).toEqual([expected, expected]);
}

function digestsIn({ exitCode, stdout, message }: AzureCliResult): string[] {
  if (exitCode !== 0) return [message];
  return (JSON.parse(stdout) as { digest: string }[]).map(({ digest }) => digest).sort();
}

function hostOf(registry: string): string {
  return `${registry}.azurecr.io`;
}

async function push(reference: string): Promise<string> {
  await crane.run("copy", "docker.io/library/hello-world:latest", reference);
  return crane.digest(reference);
}
