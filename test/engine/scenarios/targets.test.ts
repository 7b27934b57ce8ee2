/** S15 to S17: conflicts, several targets, and kinds of artifacts. */
import { holdImports, useEmulator } from "../../support/emulator";
import { until } from "../../support/until";
import { declareImages, imageProgram } from "../programs";
import { expectRefused, imageDigest, Scenario } from "./scenario";

const emulator = useEmulator();

test("S15 onConflict: every combination of an existing tag and policy", async () => {
  const scenario = await Scenario.begin(emulator);
  const { control, project } = scenario;
  const source = "docker.io/library/contested:1";
  const target = (tag: string) => `myregistry.azurecr.io/contested:${tag}`;
  const { digest: first } = await control.moveTag(source);
  const theirs = (await control.moveTag(target("theirs"))).digest;
  const others = (await control.moveTag(target("others"))).digest;
  await control.moveTag(target("forced"));
  const declare = (tags: Record<string, "fail" | "overwrite">, more: object = {}) =>
    declareImages(
      Object.fromEntries(
        Object.entries(tags).map(([tag, onConflict]) => [
          tag,
          { registry: "myregistry", source, targetTags: [`contested:${tag}`], onConflict, ...more },
        ]),
      ),
    );

  // Nothing recorded: a missing tag, two conflicts, and one overwrite. Each conflict is reported, the rest is recorded.
  await project.write(declare({ absent: "fail", theirs: "fail", others: "fail", forced: "overwrite" }));
  const created = await project.up({ args: ["--continue-on-error"] });
  expect(created.exitCode).not.toBe(0);
  expect(created.diagnostics("error").join("\n")).toContain(`${target("others")} holds ${others}`);
  expect((await project.state()).resource("absent").outputs?.sourceDigest).toBe(first);
  expect(created.diagnostics("error").join("\n")).toContain(
    `${target("theirs")} holds ${theirs}, which was not created by this resource`,
  );
  expect(await control.digest(target("absent"))).toBe(first);
  expect(await control.digest(target("theirs"))).toBe(theirs);
  expect(await control.digest(target("forced"))).toBe(first);
  await scenario.refuses(
    "a tag that somebody else has put there",
    { registry: "myregistry", source, targetTags: ["contested:theirs"] },
    {
      code: "TARGET_CONFLICT",
      message: [`target: ${target("theirs")} holds ${theirs}`, `expected ${first}`, 'Set onConflict: "overwrite"'],
    },
  );

  // Nothing recorded, and the tag holds the same image: it is adopted without an import.
  const other = await Scenario.begin(emulator);
  await control.clearRequests();
  await other.works({ registry: "myregistry", source, targetTags: ["contested:absent"] }, first);
  expect(await control.imports()).toEqual([]);

  // Recorded, and moved by somebody else: overwrite repairs the tag, fail reports the conflict.
  await project.write(declare({ absent: "fail", forced: "overwrite" }));
  expect((await project.up()).exitCode).toBe(0);
  const taken = (await control.moveTag(target("absent"))).digest;
  await control.moveTag(target("forced"));
  await project.refresh();
  await project.write(declare({ forced: "overwrite" }));
  expect((await project.up()).exitCode).toBe(0);
  expect(await control.digest(target("forced"))).toBe(first);
  await other.project.refresh();
  await other.refuses(
    "a tag of ours that somebody else has moved",
    { registry: "myregistry", source, targetTags: ["contested:absent"] },
    {
      code: "TARGET_CONFLICT",
      message: [`target: ${target("absent")} holds ${taken}`, `expected ${first}`, "Nothing was changed"],
    },
  );

  // Recorded, and the source moves: the tag is moved whatever the policy.
  const { digest: second } = await control.moveTag(source);
  await project.write(declare({ forced: "fail" }));
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await control.digest(target("forced"))).toBe(second);

  // Somebody else creates the tag between plan and import: NoForce keeps Azure from overwriting it.
  const release = await holdImports(emulator);
  await control.clearRequests();
  const racing = await Scenario.begin(emulator);
  await racing.project.write(imageProgram({ registry: "myregistry", source, targetTags: ["contested:raced"] }));
  const running = racing.project.up();
  await until(async () => (await control.imports()).length > 0);
  const faster = (await control.moveTag(target("raced"))).digest;
  await release();
  expectRefused("a tag that appears while Azure copies", await running, {
    code: "TARGET_CONFLICT",
    message: [`target: ${target("raced")} holds ${faster}`, 'Set onConflict: "overwrite"'],
  });
  expect(await control.digest(target("raced"))).toBe(faster);
});

test("S16 several target tags and untagged repositories in one resource and one import", async () => {
  const scenario = await Scenario.begin(emulator);
  const { control, project } = scenario;
  const source = "docker.io/library/many:1";
  const { digest } = await control.moveTag(source);
  const args = {
    registry: "myregistry",
    source,
    targetTags: ["many:1", "many:1.2", "mirror/many:stable"],
    untaggedTargetRepositories: ["many", "pinned/many"],
  };
  await scenario.refuses(
    "names that no registry would take",
    { ...args, targetTags: ["many:1", "Many:2", "many:1"], untaggedTargetRepositories: ["pinned/many:1"] },
    {
      code: "INVALID_ARGUMENT",
      message: ["targetTags[1]: ", "targetTags[2]: must not be listed twice", "untaggedTargetRepositories[0]: "],
    },
  );
  await control.clearRequests();
  await scenario.works(args, digest);
  expect(await control.imports()).toHaveLength(1);
  expect(await imageDigest(scenario, `myregistry.azurecr.io/pinned/many@${digest}`)).toBe(digest);
  expect((await project.state()).resource("app").outputs).toMatchObject({
    reference: `myregistry.azurecr.io/many@${digest}`,
    targets: Object.fromEntries(
      ["many:1", "many:1.2", "mirror/many:stable", "many", "pinned/many"].map((name) => [name, digest]),
    ),
  });
  // One added and one dropped: only the new tag is imported, and onDelete applies to the dropped one.
  await control.clearRequests();
  await scenario.works(
    { ...args, targetTags: ["many:1", "mirror/many:stable", "many:latest"], onDelete: "untag" },
    digest,
  );
  expect(await control.imports()).toHaveLength(1);
  expect(await control.digest("myregistry.azurecr.io/many:1.2")).toBeUndefined();
});

test("S17 any OCI artifact: image index, single manifest, Docker manifest list, Helm chart, artifact, artifact manifest", async () => {
  const scenario = await Scenario.begin(emulator);
  const { control, project } = scenario;
  const kinds = ["index", "manifest", "docker-list", "docker", "helm", "artifact", "artifact-manifest"] as const;
  const made = await Promise.all(
    kinds.map((kind) => control.moveTag(`mysourceregistry.azurecr.io/s17/${kind}:1`, { kind })),
  );
  await project.write(
    declareImages(
      Object.fromEntries(
        kinds.map((kind) => [
          kind.replaceAll("-", ""),
          { registry: "myregistry", source: `mysourceregistry.azurecr.io/s17/${kind}:1` },
        ]),
      ),
    ),
  );
  const up = await project.up();
  expect([up.exitCode, up.diagnostics("error")]).toEqual([0, []]);
  const state = await project.state();
  for (const [index, kind] of kinds.entries()) {
    expect(await control.image(`myregistry.azurecr.io/s17/${kind}:1`)).toEqual(made[index]);
    expect(state.resource(kind.replaceAll("-", "")).outputs).toMatchObject({
      sourceDigest: made[index]?.digest,
      mediaType: made[index]?.mediaType,
    });
  }
  expect(new Set(made.map(({ mediaType }) => mediaType)).size).toBe(5);

  await control.moveTag("docker.io/library/huge:1", { manifests: 51, attestations: false });
  await scenario.refuses(
    "an index of 51 manifests",
    { registry: "myregistry", source: "docker.io/library/huge:1", targetTags: ["s17/huge:1"] },
    {
      code: "SOURCE_TOO_MANY_MANIFESTS",
      message: ["source: ", "library/huge", "50", "Set platform to import a single one"],
    },
  );
});
