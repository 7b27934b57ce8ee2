/** S22: mirrors, whose tags come, move and leave. */
import { holdImports, useEmulator } from "../../support/emulator";
import { PulumiProject } from "../../support/engine";
import { pluginOf } from "../../support/plugin-process";
import { until } from "../../support/until";

const emulator = useEmulator();
const TARGET = "myregistry.azurecr.io";

/** A program with one mirror, which exports the reference of a tag. */
const program = (args: object, tag: string) => `
const { ImportedRepository } = require("pulumi-acr-import");
const mirror = new ImportedRepository("mirror", ${JSON.stringify({ registry: "myregistry", ...args })});
exports.reference = mirror.reference(${JSON.stringify(tag)});
`;

/** Puts new images behind tags of Docker Hub, and returns the digest of the last one. */
function publish(repository: string, tags: readonly string[]): string {
  const { images } = emulator.server;
  return tags.map((tag) => images.replace(`docker.io/${repository}:${tag}`, { kind: "manifest" }).digest).at(-1) ?? "";
}

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `1.${from + index}.0`);

test("S22 a mirror of 300 tags: preview shows what comes, moves and leaves, line by line, and up does only that", async () => {
  const { control, env } = emulator;
  const repository = "s22/app";
  publish(repository, [...numbered(300), "latest", "nightly"]);
  const source = { registry: "myregistry", source: `docker.io/${repository}`, semver: ">=1", onDelete: "untag" };
  const project = await PulumiProject.create({ env, program: program(source, "1.7.0") });
  const created = await project.up();
  expect([created.diagnostics("error"), created.changes]).toEqual([[], { create: 1 }]);
  expect((await control.imports()).length).toBe(300);
  expect(await project.outputs()).toEqual({
    reference: `${TARGET}/${repository}@${await control.digest(`docker.io/${repository}:1.7.0`)}`,
  });

  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ same: 1 });
  const requests = await control.requests({ from: "client" });
  expect(requests.filter(({ host }) => host === TARGET || host === "management.azure.com")).toEqual([]);

  const before = await control.digest(`docker.io/${repository}:1.7.0`);
  const moved = publish(repository, ["1.100.0", "1.200.0", "1.7.0"]);
  const added = publish(repository, ["1.300.0", "1.301.0"]);
  await control.removeTag(`docker.io/${repository}:1.50.0`);
  const preview = await project.preview({ args: ["--diff"] });
  expect(preview.changes).toEqual({ update: 1 });
  const lines = preview.text.split("\n");
  expect(lines.filter((line) => /^\s+[-+] 1\.7\.0 /.test(line)).map((line) => line.trim())).toEqual([
    `- 1.7.0 ${before}`,
    `+ 1.7.0 ${moved}`,
  ]);
  expect(preview.text).toMatch(new RegExp(`^\\s+\\+ 1\\.301\\.0 ${added}$`, "m"));
  expect(preview.text).toMatch(/^\s+- 1\.50\.0 sha256:/m);
  // The outputs of the stack are known in preview.
  expect(preview.text).toContain(`${TARGET}/${repository}@${moved}`);

  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect((await control.imports()).length).toBe(5);
  expect(await control.digest(`${TARGET}/${repository}:1.7.0`)).toBe(moved);
  expect(await control.digest(`${TARGET}/${repository}:1.50.0`)).toBeUndefined();
  expect((await project.up({ args: ["--expect-no-changes"] })).exitCode).toBe(0);
});

test("S22 a mirror whose first up is killed in the middle is completed by the next one", async () => {
  const { control, env } = emulator;
  const repository = "s22/killed";
  publish(repository, numbered(60));
  const project = await PulumiProject.create({
    env,
    program: program({ source: `docker.io/${repository}`, match: "1\\..*" }, "1.0.0"),
  });
  await control.clearRequests();
  const up = project.start("up");
  await until(async () => (await control.imports()).length >= 20);
  const release = await holdImports(emulator);
  process.kill(pluginOf(up) ?? Number.NaN, "SIGKILL");
  expect((await up.finished).exitCode).not.toBe(0);
  await release();

  const next = await project.up();
  expect([next.diagnostics("error"), next.changes]).toEqual([[], { create: 1 }]);
  for (const tag of numbered(60)) {
    expect([tag, await control.digest(`${TARGET}/${repository}:${tag}`)]).toEqual([
      tag,
      await control.digest(`docker.io/${repository}:${tag}`),
    ]);
  }
  expect((await project.up()).changes).toEqual({ same: 1 });
});

test("S22 tags are selected by version, by pattern and by number; other tags stay where they are", async () => {
  const { control, env } = emulator;
  const repository = "s22/selected";
  publish(repository, ["1.9.0", "1.10.0", "1.11.0-rc.1", "2.0.0", "2.0.0-alpine", "2.1.0-alpine", "edge", "latest"]);
  const mirror = (name: string, args: object) =>
    `exports.${name} = new ImportedRepository("${name}", ${JSON.stringify({
      registry: "myregistry",
      source: `docker.io/${repository}`,
      targetRepository: `${repository}-${name}`,
      ...args,
    })}).references().apply((references) => Object.keys(references).sort());`;
  const project = await PulumiProject.create({
    env,
    program: [
      'const { ImportedRepository } = require("pulumi-acr-import");',
      mirror("range", { semver: ">=1.10, <2" }),
      mirror("newest", { newest: 2 }),
      mirror("alpine", { extract: "(.*)-alpine", newest: 1, tagSuffix: "-mirrored" }),
      mirror("pattern", { match: "edge|latest", exclude: "latest" }),
      mirror("listed", { tags: ["latest", "1.9.0"] }),
    ].join("\n"),
  });
  const up = await project.up();
  expect([up.exitCode, up.diagnostics("error")]).toEqual([0, []]);
  expect(await project.outputs()).toEqual({
    range: ["1.10.0"],
    newest: ["1.10.0", "2.0.0"],
    alpine: ["2.1.0-alpine-mirrored"],
    pattern: ["edge"],
    listed: ["1.9.0", "latest"],
  });
  expect(await control.digest(`${TARGET}/${repository}-alpine:2.0.0-alpine-mirrored`)).toBeUndefined();
  expect((await project.up()).changes).toEqual({ same: 5 });
});

test("S22 the preview of five changes among 5,000 tags has 35 lines, wherever they are", async () => {
  const { env, server } = emulator;
  const repository = "s22/large";
  const tags = Array.from({ length: 5_000 }, (_, index) => `${1 + Math.floor(index / 100)}.${index % 100}.0`);
  // A hundred tags share an image, so that the first up takes seconds.
  const store = server.images.publicStores.get("docker.io");
  tags.forEach((tag, index) => {
    const first = tags[index - (index % 100)] ?? tag;
    if (tag === first) publish(repository, [tag]);
    else store?.setTag(repository, tag, store.tag(repository, first)?.digest ?? "");
  });
  const project = await PulumiProject.create({
    env,
    program: program({ source: `docker.io/${repository}`, semver: ">=1" }, "1.0.0"),
  });
  const created = await project.up();
  expect([created.diagnostics("error"), created.changes]).toEqual([[], { create: 1 }]);
  publish(repository, ["3.7.0", "20.50.0", "44.1.0", "60.0.0"]);
  store?.removeTag(repository, "33.33.0");
  const preview = await project.preview({ args: ["--diff"] });
  expect(preview.changes).toEqual({ update: 1 });
  const lines = preview.text.split("\n");
  const diff = lines.slice(
    lines.findIndex((line) => line.includes("~ tags")),
    lines.findIndex((line) => line.includes("targetRepository")),
  );
  // Each change is far from the others, which takes the most lines: the engine prints two lines before and after each.
  expect([diff.length, lines.length < 60]).toEqual([35, true]);
  expect(diff.join("\n").match(/^\s+[-+] (3\.7\.0|20\.50\.0|44\.1\.0|60\.0\.0|33\.33\.0) /gm)).toHaveLength(8);
});
