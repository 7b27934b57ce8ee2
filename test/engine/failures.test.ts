/** What the engine prints for failures, and what it records. */
import { holdImports, useEmulator } from "../support/emulator";
import { type Outcome, PulumiProject } from "../support/engine";
import { digestOf } from "../support/fixtures";
import { until } from "../support/until";
import { declareImages, imageProgram } from "./programs";

const emulator = useEmulator();

test("a failed digest look-up is one clean line in preview", async () => {
  const { control, env } = emulator;
  const cases: Record<string, { source: unknown; message: string[] }> = {
    "a tag that does not exist": {
      source: "docker.io/library/hello-world:nosuch",
      message: ["source: docker.io/library/hello-world:nosuch was not found [SOURCE_NOT_FOUND]"],
    },
    "a host that is not there": {
      source: "registry.invalid/app:1",
      message: ["source: ", "registry.invalid"],
    },
  };
  const project = await PulumiProject.create({ env, program: "" });
  for (const [name, { source, message }] of Object.entries(cases)) {
    await project.write(imageProgram({ registry: "myregistry", source, targetTags: ["app:1"] }));
    const outcome = await project.preview();
    expect([name, outcome.exitCode]).not.toEqual([name, 0]);
    const [error = ""] = outcome.diagnostics("error");
    for (const words of message) expect([name, error]).toEqual([name, expect.stringContaining(words)]);
    expect(error).toMatch(/resource 'app' has a problem: source: /);
    expectNoStack(outcome);
  }
  expect(await control.imports()).toEqual([]);
});

test("invalid arguments are reported all at once, with their paths and without a request", async () => {
  const { control, env } = emulator;
  const project = await PulumiProject.create({
    env,
    program: `${imageProgram({
      registry: "my_registry",
      source: { image: "docker.io/library/Node:22", credentials: { username: "me" }, digestFrom: "somewhere" },
      targetTags: ["node:22", "node@22", "node:22"],
      onDelete: "remove",
      onConflit: "fail",
    })}`,
  });
  await control.clearRequests();
  const outcome = await project.preview();
  expect(outcome.exitCode).not.toBe(0);
  const messages = outcome.diagnostics("error").map((each) => each.replace(/^.*?has a problem: /s, "").trim());
  const paths = messages.filter((each) => each.includes("[INVALID_ARGUMENT]")).map((each) => each.split(": ", 1)[0]);
  expect(paths).toEqual([
    "onConflit",
    "registry",
    "source.image",
    "source.credentials.password",
    "source.digestFrom",
    "targetTags[1]",
    "targetTags[2]",
    "onDelete",
  ]);
  expectNoStack(outcome);
  expect(await control.requests()).toEqual([]);

  await project.write(imageProgram({ registry: "myregistry", source: `docker.io/library/node@${digestOf("0")}` }));
  const untagged = await project.up();
  expect(untagged.diagnostics("error")[0]).toMatch(/source: .*set targetTags or untaggedTargetRepositories/);
  expectNoStack(untagged);
  expect(await control.requests()).toEqual([]);
});

test("an invalid argument beside a valid source sends no request", async () => {
  const { control, env } = emulator;
  const project = await PulumiProject.create({ env, program: "" });
  await control.clearRequests();
  for (const wrong of [
    { registry: "https://myregistry.azurecr.io" },
    { targetTags: [] },
    { onConflict: "maybe" },
    { tags: ["node:22"] },
  ]) {
    await project.write(
      imageProgram({ registry: "myregistry", source: "docker.io/library/hello-world:latest", ...wrong }),
    );
    const outcome = await project.preview();
    expect([wrong, outcome.diagnostics("error")[0]]).toEqual([wrong, expect.stringContaining("[INVALID_ARGUMENT]")]);
  }
  expect(await control.requests()).toEqual([]);
});

test("customTimeouts ends the wait for a stuck import, and the next up adopts its result (Azure/azure-cli#23142)", async () => {
  const { control, env } = emulator;
  const { digest } = await control.moveTag("docker.io/library/slow:1");
  const program = (create: string) =>
    imageProgram({ registry: "myregistry", source: "docker.io/library/slow:1" }, { customTimeouts: { create } });
  const project = await PulumiProject.create({ env, program: program("3s") });
  const release = await holdImports(emulator);
  const late = await project.up();
  expect(late.exitCode).not.toBe(0);
  expect(late.diagnostics("error")[0]).toMatch(/did not finish within \d+ s \[IMPORT_TIMED_OUT\]/);
  expect(late.diagnostics("error")[0]).toContain("customTimeouts");
  expectNoStack(late);

  // Azure continues the import, and the next up adopts the result.
  await release();
  await until(async () => (await control.digest("myregistry.azurecr.io/library/slow:1")) === digest);
  await project.write(program("5m"));
  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ create: 1 });
  expect(await control.imports()).toEqual([]);
});

test('an unavailable source fails a preview, or with onSourceUnavailable "keep" warns and keeps the recorded digest', async () => {
  const { control, env } = emulator;
  const { digest } = await control.moveTag("mcr.microsoft.com/dotnet/kept:1");
  const program = (more: object) =>
    imageProgram({ registry: "myregistry", source: "mcr.microsoft.com/dotnet/kept:1", ...more });
  const project = await PulumiProject.create({ env, program: program({ onSourceUnavailable: "keep" }) });
  await project.up();
  await control.faults({ host: "mcr.microsoft.com", status: 429, headers: { "retry-after": "3600" } });
  const kept = await project.up();
  expect([kept.exitCode, kept.changes]).toEqual([0, { same: 1 }]);
  const warnings = kept.diagnostics("warning").join("\n");
  expect(warnings).toContain(`; continuing with the recorded digest ${digest} [SOURCE_THROTTLED]`);
  expect(warnings).not.toContain("Hint");
  expect((await project.state()).resource("app").outputs?.sourceDigest).toBe(digest);

  await project.write(program({}));
  const failed = await project.preview();
  expect(failed.exitCode).not.toBe(0);
  expect(failed.diagnostics("error")[0]).toContain('Set onSourceUnavailable: "keep" to continue with');
  await control.faults();
});

test("rate limiting by Resource Manager fails nothing, and is told once on the row of the stack", async () => {
  const { control, env } = emulator;
  const names = ["one", "two", "three"];
  for (const name of names) await control.moveTag(`docker.io/library/limited-${name}:1`);
  const images = names.map((name) => [name, { registry: "myregistry", source: `docker.io/library/limited-${name}:1` }]);
  const project = await PulumiProject.create({ env, program: declareImages(Object.fromEntries(images)) });
  const path = "/importImage|/operationResults/";
  await control.faults({ host: "management.azure.com", path, times: 4, status: 429, headers: { "retry-after": "1" } });
  const outcome = await project.up();
  expect([outcome.exitCode, outcome.changes]).toEqual([0, { create: 3 }]);
  expect(outcome.diagnostics("info").filter((message) => message.includes("rate limiting"))).toEqual([
    expect.stringContaining("Azure: management.azure.com is rate limiting (429 Too Many Requests)"),
  ]);
  await control.faults();
});

test("a registry that does not exist fails an up, and only warns in a preview, since it may be created until then", async () => {
  const { control, env } = emulator;
  await control.moveTag("docker.io/library/nowhere:1");
  const project = await PulumiProject.create({
    env,
    program: imageProgram({ registry: "notthere", source: "docker.io/library/nowhere:1" }),
  });
  const preview = await project.preview();
  expect([preview.exitCode, preview.changes]).toEqual([0, { create: 1 }]);
  expect(preview.diagnostics("warning").join("\n")).toContain("[REGISTRY_NOT_FOUND]");
  const up = await project.up();
  expect(up.exitCode).not.toBe(0);
  expect(up.diagnostics("error")[0]).toMatch(/target: registry notthere is not visible to .*\[REGISTRY_NOT_FOUND\]/s);
  expectNoStack(up);
});

function expectNoStack({ text }: Outcome): void {
  expect(text).not.toMatch(/^\s*at .*(\.[jt]s|node:)/m);
  expect(text).not.toMatch(/node_modules|dist\//);
}
