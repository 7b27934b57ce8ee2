import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Running, start } from "../../scripts/process";
import { declareImages, type ImageArguments } from "../engine/programs";
import { type Box, startBox } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { environment } from "../support/environment";
import { registryAccount, startRegistry } from "../support/registry";
import { startTokenService } from "../support/token-service";
import { AzureCli, importsToEnd, printCommand, shorten } from "./azure-cli";
import { Crane } from "./crane";
import { type ImportCommand, importCommands } from "./import-commands";
import { judge } from "./judges";
import { exitAndTime, note } from "./results";

let box: Box;
let folder: string;
let az: AzureCli;
let crane: Crane;
let project: PulumiProject;
let craneServer: Running;
/** The images of the program so far: each command adds one. */
const images: Record<string, ImageArguments> = {};

beforeAll(async () => {
  box = await startBox();
  folder = await mkdtemp(path.join(tmpdir(), "judges-"));
  crane = new Crane(box, folder);
  az = new AzureCli(environment(folder, box.env));
  project = await PulumiProject.create({ env: box.env, program: "" });
  await startServers();
});
afterAll(async () => {
  await craneServer?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("az login --service-principal", async () => {
  const { exitCode, seconds, stdout, message } = await az.logIn();
  note("commands", "", "signing in", "`az login --service-principal`", exitAndTime(exitCode, seconds), "", "", "", "");
  expect([exitCode, message]).toEqual([0, ""]);
  const { ARM_SUBSCRIPTION_ID } = box.env;
  expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ id: ARM_SUBSCRIPTION_ID, state: "Enabled" }));
});

test.each(importCommands)("$id $scenario", async (command) => {
  await compare(command);
  if (command.id === "1") await compareListings();
});

/** Runs the command, declares the same image, and compares what the two targets hold. */
async function compare({ id, scenario, prepare }: ImportCommand): Promise<void> {
  const [theirs, ours] = [`azurecli${id}`, `pulumi${id}`];
  for (const name of [theirs, ours]) {
    await box.control.call("PUT", `/registries/${name}`);
    crane.logIn(`${name}.azurecr.io`);
  }
  const hosts = [theirs, ours].map((name) => `${name}.azurecr.io`);
  const wanted = await prepare({ control: box.control, targets: hosts, push });

  const imported = await az.run("acr", "import", "--name", theirs, ...wanted.az);
  await importsToEnd(box.control);

  images[`image${id}`] = { registry: ours, ...wanted.args };
  await project.write(declareImages(images));
  const began = performance.now();
  const up = await project.up({ timeout: 240_000 });
  const seconds = (performance.now() - began) / 1000;

  const [byAzureCli, byPulumi] = [
    await holdings(hosts[0] ?? "", wanted.targets),
    await holdings(hosts[1] ?? "", wanted.targets),
  ];
  const manifests = new Set(Object.values(byPulumi.manifests).flatMap((held) => Object.keys(held)));
  const isEqual = JSON.stringify(byAzureCli) === JSON.stringify(byPulumi);
  note(
    "commands",
    id,
    scenario,
    `\`${printCommand(["acr", "import", "--name", theirs, ...wanted.az])}\``,
    exitAndTime(imported.exitCode, imported.seconds),
    `\`${printArguments(wanted.args)}\``,
    exitAndTime(up.exitCode, seconds),
    String(manifests.size),
    isEqual ? "yes" : "no",
  );
  expect([imported.exitCode, imported.message]).toEqual([0, ""]);
  expect([up.exitCode, up.diagnostics("error")]).toEqual([0, []]);
  expect(up.changes).toMatchObject({ create: 1 });
  expect(byPulumi).toEqual(byAzureCli);
  expect(Object.values(byAzureCli.manifests).map((held) => Object.keys(held)[0])).toEqual(
    wanted.targets.map(() => wanted.digest),
  );
  expect((await project.state()).resource(`image${id}`).outputs).toMatchObject({ sourceDigest: wanted.digest });
  for (const host of hosts) {
    for (const target of wanted.targets) await crane.run("validate", "--remote", `${host}/${target}`);
  }
}

interface Holdings {
  /** By target: the manifests by digest, the root first. */
  readonly manifests: Record<string, Record<string, string>>;
  readonly tags: Record<string, readonly string[]>;
}

/** Everything that crane sees behind the targets of one registry. */
async function holdings(host: string, targets: readonly string[]): Promise<Holdings> {
  const found: Holdings = { manifests: {}, tags: {} };
  for (const target of targets) {
    const repository = target.replace(/[:@].*$/, "");
    const manifests = await crane.manifests(`${host}/${target}`).catch((error: Error) => [["missing", error.message]]);
    found.manifests[target] = Object.fromEntries(manifests);
    found.tags[repository] ??= await crane.tags(`${host}/${repository}`).catch((error: Error) => [error.message]);
  }
  return found;
}

/** The article's next command: the manifests of the multi-architecture image, as the Azure CLI lists them in both registries. */
async function compareListings(): Promise<void> {
  const listings = {
    "acr repository show-manifests": ["--name", "REGISTRY", "--repository", "hello-world"],
    "acr manifest list-metadata": ["--registry", "REGISTRY", "--name", "hello-world"],
  };
  const held = [...(await crane.manifests("pulumi1.azurecr.io/hello-world:latest")).keys()].sort();
  for (const [command, options] of Object.entries(listings)) {
    const args = (registry: string) => [
      ...command.split(" "),
      ...options.map((option) => (option === "REGISTRY" ? registry : option)),
    ];
    const listed = await az.run(...args("azurecli1"), "--output", "json");
    const ours = await az.must(...args("pulumi1"), "--output", "json");
    const digests = ({ stdout }: { stdout: string }) =>
      (JSON.parse(stdout) as { digest: string }[]).map(({ digest }) => digest).sort();
    const isEqual = listed.exitCode === 0 && String(digests(listed)) === String(digests(ours));
    const { platforms } = (await project.state()).resource("image1").outputs ?? {};
    note(
      "commands",
      "2",
      "its manifests",
      `\`${printCommand(args("azurecli1"))}\``,
      exitAndTime(listed.exitCode, listed.seconds),
      `output \`platforms\`: ${(platforms as string[]).join(", ")}`,
      "",
      String(digests(ours).length),
      isEqual ? "yes" : "no",
    );
    expect(listed.exitCode).toBe(0);
    expect(digests(listed)).toEqual(held);
    expect(digests(ours)).toEqual(held);
  }
}

/** Real registries behind public-looking names. */
async function startServers(): Promise<void> {
  const command = judge("JUDGE_REGISTRY");
  const tokens = await startTokenService("registry.token.example.com");
  const realm = "https://auth.token.example.com/token";
  const basic = await startRegistry(command, { auth: "basic" });
  const token = await startRegistry(command, { auth: { ...tokens, realm } });
  craneServer = start(judge("JUDGE_CRANE"), ["registry", "serve", "--address", "127.0.0.1:0"], {
    env: environment(folder),
  });
  const port = (await craneServer.line(/serving on port \d+/)).match(/\d+$/)?.[0];
  await box.control.hosts({
    "registry.example.com": basic.url,
    "registry.token.example.com": token.url,
    "auth.token.example.com": tokens.url,
    "crane.example.com": `http://127.0.0.1:${port}`,
  });
  for (const host of ["registry.example.com", "registry.token.example.com"]) crane.logIn(host, registryAccount);
  stopTokens = tokens.close;
}

let stopTokens = () => {};
afterAll(() => stopTokens());

async function push(reference: string): Promise<string> {
  await crane.run("copy", "docker.io/library/hello-world:latest", reference);
  return crane.digest(reference);
}

/** Arguments as a program would write them, secrets left out. */
function printArguments(args: ImageArguments): string {
  const text = JSON.stringify(args, (key, value) => (key === "password" ? "…" : value));
  const spaced = text.replace(/"(\w+)":/g, "$1: ").replace(/,(?=\w+: |")/g, ", ");
  return shorten(spaced).replace(/\/subscriptions\/[^"]*\//g, "/subscriptions/…/");
}
