/** Situations in which `ImportedImage` differs from `az acr import` on purpose. */

import type { ImageDescription } from "acr-emulator";
import { environment } from "../../scripts/environment";
import { imageProgram } from "../engine/programs";
import { useEmulator } from "../support/emulator";
import { type Outcome, PulumiProject } from "../support/engine";
import { registryId, servicePrincipals } from "../support/fixtures";
import { until } from "../support/until";
import { AzureCli, type AzureCliResult } from "./azure-cli";
import { Crane } from "./crane";
import { printError, shorten } from "./print";
import { recordRow } from "./results";

const emulator = useEmulator();
let az: AzureCli;
let crane: Crane;
beforeAll(async () => {
  crane = await Crane.at(emulator, "myregistry");
  az = new AzureCli(environment(crane.home, emulator.env));
  expect((await az.logIn()).message).toBe("");
});

const acrImport = (...args: string[]) => az.run("acr", "import", "--name", "myregistry", ...args);
const target = (name: string) => `myregistry.azurecr.io/${name}`;
const projectOf = (args: object) =>
  PulumiProject.create({ env: emulator.env, program: imageProgram({ registry: "myregistry", ...args }) });

test("imports the previewed digest when the tag of the source moves during the import", async () => {
  const source = (name: string) => `docker.io/emulated/${name}:1`;
  const before: Record<string, ImageDescription> = {};
  for (const name of ["raced", "safe"])
    before[name] = await emulator.control.moveTag(source(name), { kind: "manifest" });

  const raced = await whileMoving(source("raced"), () => acrImport("--source", source("raced"), "--image", "raced:1"));
  expect([raced.result.exitCode, raced.result.message]).toEqual([0, ""]);
  const { message } = await failureOf(crane.run("manifest", target("raced:1")));
  expect(message).toContain("MANIFEST_UNKNOWN");

  const project = await projectOf({ source: source("safe"), targetTags: ["safe:1"] });
  const safe = await whileMoving(source("safe"), () => project.up());
  expect(safe.moved).not.toBe(before.safe?.digest);
  expect([safe.result.exitCode, safe.result.changes]).toEqual([0, { create: 1 }]);
  expect(await crane.digest(target("safe:1"))).toBe(before.safe?.digest);
  await crane.run("validate", "--remote", target("safe:1"));
  // The next run imports the new digest.
  expect((await project.preview()).changes).toEqual({ update: 1 });
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await crane.digest(target("safe:1"))).toBe(safe.moved);
  recordRow(
    "differences",
    "the source's tag moves during the import",
    `${outcomeOf(raced.result)}, and the target's tag cannot be pulled: ${lastLine(message)}`,
    `exit 0: ${shorten(String(before.safe?.digest))} as previewed, whole; the next \`up\` imports ${shorten(safe.moved)}`,
  );
});

test("returns the digest of the imported image", async () => {
  const source = "docker.io/library/hello-world:latest";
  const theirs = await acrImport("--source", source, "--image", "result-of-az:1");
  expect(theirs.exitCode).toBe(0);
  expect(theirs.stdout + theirs.message).not.toContain("sha256:");
  const project = await projectOf({ source, targetTags: ["result:1"] });
  expect((await project.up()).exitCode).toBe(0);
  const { reference, sourceDigest } = (await project.state()).resource("app").outputs ?? {};
  expect(sourceDigest).toBe(await crane.digest(source));
  expect(reference).toBe(`${target("result")}@${sourceDigest}`);
  expect(await crane.digest(String(reference))).toBe(sourceDigest);
  recordRow(
    "differences",
    "which digest was imported",
    `${outcomeOf(theirs)}, and no digest in its output`,
    `output \`reference\`: ${shorten(String(reference))}`,
  );
});

test("imports from a registry of another subscription by its login server", async () => {
  const source = "othersubsource.azurecr.io/aci-helloworld:latest";
  const theirs = await acrImport("--source", source, "--image", "other-subscription-az:1");
  expect(theirs.exitCode).not.toBe(0);
  expect(theirs.message).toContain("othersubsource.azurecr.io");
  expect(await emulator.control.digest(target("other-subscription-az:1"))).toBeUndefined();
  const project = await projectOf({ source, targetTags: ["other-subscription:1"] });
  expect((await project.up()).exitCode).toBe(0);
  const { digest } = await emulator.control.image(source);
  expect(await crane.digest(target("other-subscription:1"))).toBe(digest);
  recordRow(
    "differences",
    "a source registry of another subscription, by login server",
    outcomeOf(theirs),
    `exit 0: ${shorten(digest)}`,
  );
});

test("imports nothing on the second run, after one HEAD request to the source", async () => {
  const source = "mcr.microsoft.com/windows/servercore:ltsc2019";
  const args = ["--source", source, "--image", "again-az:1"];
  expect((await acrImport(...args)).exitCode).toBe(0);
  const theirs = await acrImport(...args);
  expect(theirs.exitCode).not.toBe(0);
  expect(theirs.message).toContain("Tag again-az:1 already exists in target registry.");
  const project = await projectOf({ source, targetTags: ["again:1"] });
  expect((await project.up()).changes).toEqual({ create: 1 });
  await emulator.control.clearRequests();
  const ours = await project.up();
  expect([ours.exitCode, ours.changes]).toEqual([0, { same: 1 }]);
  const requests = await emulator.control.requests();
  const manifest = "/v2/windows/servercore/manifests/ltsc2019";
  expect(requests.map(({ method, host, path }) => `${method} ${host}${path}`)).toEqual([
    "GET mcr.microsoft.com/v2/",
    `HEAD mcr.microsoft.com${manifest}`,
  ]);
  recordRow(
    "differences",
    "the same command again",
    outcomeOf(theirs),
    "exit 0: 1 unchanged, after one `HEAD` of the source, none to Azure",
  );
});

test("uses source.credentials that are set beside the resource ID of the source", async () => {
  const credentials = { username: servicePrincipals.sourceReader.clientId, password: "not-the-secret" };
  const registry = registryId("mysourceregistry");
  const { username, password } = credentials;
  const options = ["--registry", registry, "--username", username, "--password", password];
  const theirs = await acrImport("--source", "aci-helloworld:latest", "--image", "dropped-az:1", ...options);
  expect(theirs.exitCode).toBe(0);
  const project = await projectOf({
    source: { image: "aci-helloworld:latest", registry, credentials },
    targetTags: ["dropped:1"],
  });
  const ours = await project.up();
  expect(ours.exitCode).not.toBe(0);
  expect(ours.diagnostics("error").join()).toContain("[SOURCE_CREDENTIALS_REJECTED]");
  expect(await emulator.control.digest(target("dropped:1"))).toBeUndefined();
  recordRow(
    "differences",
    "wrong credentials beside the source's resource ID",
    `${outcomeOf(theirs)}: they are dropped, the caller's own rights are used`,
    `refused: ${refusalOf(ours)}`,
  );
});

/** Runs an import, and moves the tag of the source when the manifests have been read and the layers are being copied. */
async function whileMoving<T>(source: string, run: () => Promise<T>): Promise<{ result: T; moved: string }> {
  await emulator.control.clearRequests();
  await emulator.control.faults({ host: "registry-1.docker.io", path: "/blobs/", from: "azure", latency: 4_000 });
  const running = run();
  const move = async () => {
    const layers = () => emulator.control.requests({ from: "azure", host: "registry-1.docker.io", path: "/blobs/" });
    await until(async () => (await layers()).length > 0);
    return (await emulator.control.moveTag(source, { kind: "manifest" })).digest;
  };
  const [result, moved] = await Promise.all([running, move()]);
  await emulator.control.faults();
  return { result, moved };
}

function outcomeOf({ exitCode, message }: AzureCliResult): string {
  return exitCode === 0 ? "exit 0" : `exit ${exitCode}: ${printError(message)}`;
}

function refusalOf(outcome: Outcome): string {
  return outcome.diagnostics("error").join(" ").trim().split("\n")[0] ?? "";
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => new Error("it succeeded"),
    (error: Error) => error,
  );
}
