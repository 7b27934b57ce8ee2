/** Policies on the source side, on the real engine: what preview shows, and that update plans agree with it. */
import path from "node:path";
import { readFixtureKey } from "../support/cosign-fixtures";
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { imageProgram } from "./programs";

const emulator = useEmulator();

/** A program that prints outputs of its image as soon as they are known: in a preview, `apply` runs only for known values. */
const printing = (outputs: string, args: object) => `${imageProgram({ registry: "myregistry", ...args })}
  const { ${outputs} } = app;
  require("@pulumi/pulumi").output({ ${outputs} }).apply((known) => console.log("known: " + JSON.stringify(known)));`;
const knownIn = (text: string) => JSON.parse(text.match(/known: (.*)/)?.[1] ?? "{}");

test("platform: both digests, the tagged reference and its parts are known in preview", async () => {
  const { control, env, server } = emulator;
  const source = "docker.io/library/platforms:1";
  const platforms = ["linux/amd64", "linux/arm64/v8"];
  const { digest: indexDigest } = await control.moveTag(source, { platforms });
  const program = printing("sourceDigest, indexDigest, taggedReference, parts", { source, platform: "linux/arm64" });
  const project = await PulumiProject.create({ env, program });

  const known = knownIn((await project.preview()).text);
  const digest = known.sourceDigest;
  expect(server.images.describe(`docker.io/library/platforms@${digest}`)?.platforms).toEqual(["linux/arm64/v8"]);
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
  expect(await control.requests({ method: "GET", path: "/manifests/" })).toEqual([]);
});

test("cooldown: preview shows the digest that waits, and an update plan records it", async () => {
  const { control, env } = emulator;
  const source = "docker.io/library/waiting:1";
  const { digest: first } = await control.moveTag(source);
  const project = await PulumiProject.create({
    env,
    program: imageProgram({ registry: "myregistry", source, cooldown: "3d" }),
  });
  expect((await project.up()).changes).toEqual({ create: 1 });

  const { digest: second } = await control.moveTag(source);
  await control.clearRequests();
  const plan = path.join(project.folder, "plan.json");
  const preview = await project.preview({ args: ["--diff", "--save-plan", plan] });
  expect(preview.changes).toEqual({ update: 1 });
  expect(preview.text).toMatch(new RegExp(`\\+ candidate *: "${second} since \\d{4}-\\d\\d-\\d\\dT\\d\\d:00Z"`));
  expect(preview.text).not.toMatch(/[~+-] sourceDigest/);
  const up = await project.up({ args: ["--plan", plan] });
  expect([up.exitCode, up.changes]).toEqual([0, { update: 1 }]);
  expect((await project.up()).changes).toEqual({ same: 1 });
  expect(await control.imports()).toEqual([]);
  expect((await project.state()).resource("app").outputs).toMatchObject({
    sourceDigest: first,
    candidate: expect.stringContaining(second),
  });
});

test("onSourceMove: fail stops the preview of a tag that moved, and names both digests", async () => {
  const { control, env } = emulator;
  const source = "docker.io/library/fixed:1";
  const { digest: first } = await control.moveTag(source);
  const program = imageProgram({ registry: "myregistry", source, onSourceMove: "fail" });
  const project = await PulumiProject.create({ env, program });
  expect((await project.up()).changes).toEqual({ create: 1 });
  const { digest: second } = await control.moveTag(source);
  const preview = await project.preview();
  expect(preview.exitCode).not.toBe(0);
  expect(preview.text).toContain(`${source} has moved to ${second}; ${first} is recorded [SOURCE_MOVED]`);
});

test("verify: preview refuses an image without a signature that counts; the evidence is known in preview", async () => {
  const { control, env } = emulator;
  const layout = path.join(__dirname, "../fixtures/oci-layouts/cosign-tag");
  const { 1: digest } = await control.pushLayout("docker.io/library/signed", layout);
  const program = (key: string) =>
    printing("signature, signedBy", { source: "docker.io/library/signed:1", verify: { cosign: { key } } });
  const project = await PulumiProject.create({ env, program: program(readFixtureKey("other")) });
  const refused = await project.preview();
  expect(refused.exitCode).not.toBe(0);
  expect(refused.text).toMatch(/verify: source: docker\.io\/library\/signed@.* \[SIGNATURE_REJECTED\]/);

  await project.write(program(readFixtureKey("cosign")));
  const known = knownIn((await project.preview()).text);
  expect(known).toEqual({ signature: expect.stringMatching(/^sha256:/), signedBy: expect.stringMatching(/^sha256:/) });
  const up = await project.up();
  expect([up.changes, knownIn(up.text)]).toEqual([{ create: 1 }, known]);
  expect(await control.digest("myregistry.azurecr.io/library/signed:1")).toBe(digest);
  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ same: 1 });
  expect(await control.requests({ method: "GET", path: "/v2/library/" })).toEqual([]);
});
