/** S23: one platform, a digest that waits, and a tag that moves; preview, up and update plans agree. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { useEmulator } from "../../support/emulator";
import type { PulumiProject } from "../../support/engine";
import { declareImages, imageProgram } from "../programs";
import { expectRefused, Scenario } from "./scenario";

const emulator = useEmulator();

/** The requests to a source, without pings and tokens. */
async function requestsTo(repository: string): Promise<string[]> {
  const sent = await emulator.control.requests({ from: "client", path: `/${repository}/` });
  return sent.map(({ method, path: where }) => `${method} ${where.replace(/.*\/(?=[^/]+\/)/, "")}`);
}

test("S23 platform: everything is known in preview, and an index that moves without the platform is only recorded", async () => {
  const { control, project } = await Scenario.begin(emulator);
  const source = "docker.io/library/platforms:1";
  const { digest: indexDigest } = await control.moveTag(source, { platforms: ["linux/amd64", "linux/arm64/v8"] });
  // In a preview, `apply` runs only for known values.
  await project.write(`${imageProgram({ registry: "myregistry", source, platform: "linux/arm64" })}
    const { sourceDigest, indexDigest, taggedReference, parts } = app;
    require("@pulumi/pulumi").output({ sourceDigest, indexDigest, taggedReference, parts })
      .apply((known) => console.log("known: " + JSON.stringify(known)));`);
  const knownIn = (text: string) => JSON.parse(text.match(/known: (.*)/)?.[1] ?? "{}");
  const known = knownIn((await project.preview()).text);
  const digest = known.sourceDigest;
  const image = await control.image(`docker.io/library/platforms@${digest}`);
  expect(image.platforms).toEqual(["linux/arm64/v8"]);
  expect(known).toEqual({
    sourceDigest: digest,
    indexDigest,
    taggedReference: `myregistry.azurecr.io/library/platforms:1@${digest}`,
    parts: { registry: "myregistry.azurecr.io", repository: "library/platforms", tag: "1", digest },
  });
  const up = await project.up();
  expect([up.changes, knownIn(up.text)]).toEqual([{ create: 1 }, known]);
  expect(await control.digest("myregistry.azurecr.io/library/platforms:1")).toBe(digest);

  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ same: 1 });
  expect(await requestsTo("library/platforms")).toEqual(["HEAD manifests/1"]);

  const store = emulator.server.images.publicStores.get("docker.io");
  const { content, mediaType = "" } = store?.manifest("library/platforms", "1") ?? {};
  const annotated = Buffer.from(JSON.stringify({ ...content, annotations: { revision: "2" } }));
  const moved = store?.putManifest("library/platforms", annotated, mediaType, "1").digest;
  await control.clearRequests();
  const preview = await project.preview({ args: ["--diff"] });
  expect(preview.changes).toEqual({ update: 1 });
  expect(preview.text).toMatch(new RegExp(`~ indexDigest *: "${indexDigest}" => "${moved}"`));
  expect(preview.text).not.toMatch(/[~+-] (sourceDigest|targets)/);
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await control.imports()).toEqual([]);
  expect(await control.requests({ host: "myregistry.azurecr.io" })).toEqual([]);
  expect((await project.up()).changes).toEqual({ same: 1 });
});

/** Makes the recorded candidate older, as time does. */
async function age(project: PulumiProject): Promise<void> {
  const { text } = await project.state();
  const file = path.join(project.folder, "older.json");
  writeFileSync(file, text.replace(/(sha256:\w+ since) [^ "]+/g, "$1 2026-01-01T00:00Z"));
  expect(await project.pulumi(["stack", "import", "--file", file])).toMatchObject({ exitCode: 0 });
}

test("S23 cooldown: preview, a saved plan and up record the same candidate, and import it after the time", async () => {
  const { control, project } = await Scenario.begin(emulator);
  const target = "myregistry.azurecr.io/team/waiting:1";
  /** Moves the tag, as if it had been done at that time. */
  const publish = async (time: string) => {
    const { digest } = await control.moveTag("mysourceregistry.azurecr.io/team/waiting:1");
    const { store } = emulator.server.state.registries.find(({ name }) => name === "mysourceregistry") ?? {};
    const tag = store?.tag("team/waiting", "1");
    if (tag === undefined) throw new Error("the tag was not published");
    tag.lastUpdateTime = new Date(time);
    return digest;
  };
  const first = await publish("2026-01-01T00:00Z");
  const source = "mysourceregistry.azurecr.io/team/waiting:1";
  await project.write(imageProgram({ registry: "myregistry", source, cooldown: "3d" }));
  expect((await project.up()).changes).toEqual({ create: 1 });

  const pushed = new Date(Date.now() - 24 * 3_600_000).toISOString();
  const second = await publish(pushed);
  const candidate = `${second} since ${pushed.slice(0, 13)}:00Z`;
  await control.clearRequests();
  const plan = path.join(project.folder, "plan.json");
  const waits = await project.preview({ args: ["--diff", "--save-plan", plan] });
  expect(waits.changes).toEqual({ update: 1 });
  expect(waits.text).toMatch(new RegExp(`\\+ candidate *: "${candidate}"`));
  expect(waits.text).not.toMatch(/[~+-] sourceDigest/);
  expect(await project.up({ args: ["--plan", plan] })).toMatchObject({ exitCode: 0, changes: { update: 1 } });
  expect((await project.up()).changes).toEqual({ same: 1 });
  expect(await control.imports()).toEqual([]);
  expect(await control.digest(target)).toBe(first);
  expect((await project.state()).resource("app").outputs).toMatchObject({ sourceDigest: first, candidate });

  await age(project);
  const over = await project.preview({ args: ["--diff", "--save-plan", plan] });
  expect(over.changes).toEqual({ update: 1 });
  expect(over.text).toMatch(/- candidate/);
  expect(over.text).toMatch(new RegExp(`~ sourceDigest *: "${first}" => "${second}"`));
  expect(await project.up({ args: ["--plan", plan] })).toMatchObject({ exitCode: 0, changes: { update: 1 } });
  expect(await control.digest(target)).toBe(second);
  expect((await project.state()).resource("app").outputs).not.toHaveProperty("candidate");

  // One that had been pushed long ago does not wait.
  const third = await publish("2026-01-02T00:00Z");
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await control.digest(target)).toBe(third);
});

test("S23 onSourceMove: import takes the new digest, keep stays, fail stops the preview and names both", async () => {
  const { control, project } = await Scenario.begin(emulator);
  const source = "docker.io/library/fixed:1";
  const { digest: first } = await control.moveTag(source);
  const policies = ["import", "keep", "fail"];
  const image = (policy: string, more: object = {}) => [
    `${policy}ed`,
    { registry: "myregistry", source, targetTags: [`moves:${policy}`], onSourceMove: policy, ...more },
  ];
  const declare = (more: object = {}) =>
    declareImages(Object.fromEntries(policies.map((policy) => image(policy, policy === "fail" ? more : {}))));
  const held = () => Promise.all(policies.map((policy) => control.digest(`myregistry.azurecr.io/moves:${policy}`)));
  await project.write(declare());
  expect((await project.up()).changes).toEqual({ create: 3 });

  const { digest: second } = await control.moveTag(source);
  await control.clearRequests();
  expectRefused("a tag that must not move", await project.preview(), {
    code: "SOURCE_MOVED",
    message: [`source: ${source} has moved to ${second}; ${first} is recorded`],
  });
  expect([await control.imports(), await held()]).toEqual([[], [first, first, first]]);

  await project.write(declare({ triggers: ["2026-12-01"] }));
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { update: 2, same: 1 }]);
  expect(await held()).toEqual([second, first, second]);
  expect((await project.up()).changes).toEqual({ same: 3 });
});
