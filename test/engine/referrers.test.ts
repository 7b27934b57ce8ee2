/** What refers to an image, on the real engine: what a preview prints, and what a run that changes nothing sends. */
import { BUNDLE, useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { declareImages } from "./programs";

const emulator = useEmulator();

test("a preview names each new signature, and a run without changes sends one HEAD, one GET and three HEADs", async () => {
  const { control, env } = emulator;
  const source = "docker.io/library/signed:1";
  const { referrers } = await control.signedImage(source);
  const image = (tag: string) => ({ registry: "myregistry", source, targetTags: [tag], referrers: true });
  const project = await PulumiProject.create({
    env,
    program: `${declareImages({ app: image("signed:1"), mirror: image("mirror:1") })}
module.exports = { referrers: app.referrers };`,
  });
  const first = await project.preview({ args: ["--diff"] });
  expect(first.changes).toEqual({ create: 2 });
  for (const { digest } of referrers) expect(first.text).toContain(digest);
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 2 }]);
  for (const { digest } of referrers) {
    for (const repository of ["signed", "mirror"]) {
      expect(await control.digest(`myregistry.azurecr.io/${repository}@${digest}`)).toBe(digest);
    }
  }

  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ same: 2 });
  const sent = (await control.requests({ from: "client" }))
    .map(({ method, path }) => `${method} ${path.replace(/[0-9a-f]{64}/, "…")}`)
    .filter((request) => request.includes("/v2/library/"));
  // Two images of one reference share what was found.
  expect(sent.sort()).toEqual([
    "GET /v2/library/signed/referrers/sha256:…",
    "HEAD /v2/library/signed/manifests/1",
    "HEAD /v2/library/signed/manifests/sha256-….att",
    "HEAD /v2/library/signed/manifests/sha256-….sbom",
    "HEAD /v2/library/signed/manifests/sha256-….sig",
  ]);
  expect(await control.requests({ from: "client", host: "myregistry.azurecr.io" })).toEqual([]);

  const added = await control.addReferrer(source, { artifactType: BUNDLE });
  const preview = await project.preview({ args: ["--diff"] });
  expect(preview.changes).toEqual({ update: 2 });
  expect(preview.text).toMatch(new RegExp(`\\+ ${BUNDLE.replaceAll(".", "\\.")} ${added.digest}`));
  const lines = preview.text.split("\n").filter((line) => /^\s+[-+] .*sha256:/.test(line));
  expect(lines.every((line) => line.includes(added.digest))).toBe(true);
  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ update: 2 });
  expect(await control.imports()).toHaveLength(2);
  expect((await project.up()).changes).toEqual({ same: 2 });
});
