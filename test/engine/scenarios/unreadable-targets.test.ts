/** A target that this machine cannot read, on the real engine. */
import { holdImports, startTestEmulator } from "../../support/emulator";
import { until } from "../../support/until";
import { imageProgram } from "../programs";
import { expectRefused, imageDigest, Scenario } from "./scenario";

test("unreadable target: import, update, conflict, killed create, refresh and destroy", async () => {
  const scenario = await Scenario.begin(await startTestEmulator());
  const { control, project } = scenario;
  const [host, source] = ["faraway.azurecr.io", "docker.io/library/remote:1"];
  await control.call("PUT", "/registries/faraway", {}, { publicNetworkAccess: "Disabled" });
  const { digest: first } = await control.moveTag(source);
  const args = (tag: string, more: object = {}) => ({
    registry: "faraway",
    source,
    targetTags: [`remote:${tag}`],
    ...more,
  });
  const outputs = async () => (await project.state()).resource("app").outputs;

  await scenario.works(args("1"), first, { in: host });
  expect(await outputs()).toMatchObject({
    sourceDigest: first,
    verifiedBy: "operation",
    targets: { "remote:1": first },
  });
  expect(await outputs()).not.toHaveProperty("mediaType");
  expect((await project.refresh()).changes).toEqual({ same: 1 });
  expect((await project.up()).changes).toEqual({ same: 1 });

  // The record is the evidence that the tag may be moved.
  const { digest: second } = await control.moveTag(source);
  const moved = await scenario.works(args("1"), second, { in: host });
  expect(moved.changes).toEqual({ update: 1 });
  expect(await outputs()).toMatchObject({ sourceDigest: second, verifiedBy: "operation" });

  // Removing without reading is an error, keeping the image is not.
  await project.write(imageProgram(args("1", { onDelete: "untag" })));
  expect((await project.up()).changes).toEqual({ update: 1 });
  expectRefused("to remove what cannot be compared", await project.destroy(), {
    code: "TARGET_UNREACHABLE",
    message: [`target: ${host} cannot be read from this machine`, "remote:1", 'onDelete: "retain"'],
  });
  await project.write(imageProgram(args("1")));
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect((await project.destroy()).changes).toEqual({ delete: 1 });
  expect(await control.digest(`${host}/remote:1`)).toBe(second);

  // A tag that exists at the first import cannot be compared.
  const uncomparable = (tag: string) => ({
    code: "TARGET_UNREADABLE",
    message: [`target: ${host}/remote:${tag} already exists and cannot be compared`, 'onConflict: "overwrite"'],
  });
  const { digest: theirs } = await control.moveTag(`${host}/remote:theirs`);
  await scenario.refuses("a tag that cannot be compared", args("theirs"), uncomparable("theirs"));
  expect(await control.digest(`${host}/remote:theirs`)).toBe(theirs);
  await scenario.works(args("theirs", { onConflict: "overwrite" }), second, { in: host });
  expect((await project.destroy()).exitCode).toBe(0);

  // After a run was killed during an import, the next one finds the tag and names onConflict.
  await project.write(imageProgram(args("killed")));
  const release = await holdImports(scenario.emulator);
  await control.clearRequests();
  const running = project.start("up");
  await until(async () => (await control.imports()).length > 0);
  running.kill();
  await running.finished;
  await release();
  await until(async () => (await control.digest(`${host}/remote:killed`)) === second);
  await project.pulumi(["cancel", "--yes"]);
  await scenario.refuses("a tag that a killed run has left", args("killed"), uncomparable("killed"));
  await scenario.works(args("killed", { onConflict: "overwrite" }), second, { in: host });
  expect(await outputs()).toMatchObject({ sourceDigest: second, verifiedBy: "operation" });

  // Neither side can be read, and the reference has no digest.
  await scenario.refuses(
    "nobody to tell the digest",
    args("unknown", { source: { image: source, digestFrom: "target" } }),
    {
      code: "TARGET_NOT_VERIFIED",
      message: [`target: ${host} cannot be read from this machine`, "Pin the digest (repo@sha256:…)"],
    },
  );
  expect(await control.digest(`${host}/remote:unknown`)).toBeUndefined();
  expect(await imageDigest(scenario, source)).toBe(second);
});
