/** S20: what refers to an image comes along with it, from every kind of registry. */
import path from "node:path";
import type { ReferrerDescription, ReferrersOptions } from "acr-emulator";
import { readFixtureKey } from "../../support/cosign-fixtures";
import { BUNDLE, NOTATION, SBOM, useEmulator } from "../../support/emulator";
import { NOTATION_POLICY, pushNotationImage } from "../../support/notation-fixtures";
import { declareImages } from "../programs";
import { Scenario } from "./scenario";

const emulator = useEmulator();

/** An image from a source, with everything that refers to it, under a tag of the target registry. */
const mirror = (source: string, tag: string, referrers: unknown = true) => ({
  registry: "myregistry",
  source,
  targetTags: [tag],
  referrers,
});

/** Expects that a repository of the target has these manifests, and cosign's under their tags. */
async function expectInTarget(repository: string, referrers: readonly ReferrerDescription[]): Promise<void> {
  for (const { digest, tag } of referrers) {
    const reference = `myregistry.azurecr.io/${repository}${tag === undefined ? `@${digest}` : `:${tag}`}`;
    expect([reference, await emulator.control.digest(reference)]).toEqual([reference, digest]);
  }
}

const lineOf = ({ tag, artifactType, digest }: ReferrerDescription) => `${tag ?? artifactType} ${digest}`;

test("S20 a preview names each referrer and each new signature, and a second up sends one HEAD, one GET and three HEADs", async () => {
  const { control, project } = await Scenario.begin(emulator);
  const source = "docker.io/library/signed:1";
  const { referrers } = await control.signedImage(source);
  await project.write(declareImages({ app: mirror(source, "signed:1"), mirror: mirror(source, "mirror:1") }));
  // Of a new text of several lines, the engine prints the first three, unless it is an output of the stack.
  const first = await project.preview({ args: ["--diff", "--show-full-output"] });
  expect(first.changes).toEqual({ create: 2 });
  for (const referrer of referrers) expect(first.text).toContain(lineOf(referrer));
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 2 }]);
  for (const repository of ["signed", "mirror"]) await expectInTarget(repository, referrers);

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
  expect(preview.text).toContain(`+ ${lineOf(added)}`);
  const lines = preview.text.split("\n").filter((line) => /^\s+[-+] .*sha256:/.test(line));
  expect(lines.map((line) => line.trim())).toEqual([`+ ${lineOf(added)}`, `+ ${lineOf(added)}`]);
  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ update: 2 });
  expect(await control.imports()).toHaveLength(2);
  for (const repository of ["signed", "mirror"]) await expectInTarget(repository, [added]);
  expect((await project.up()).changes).toEqual({ same: 2 });
});

test("S20 the image is imported without a tag, then what refers to it, and the tag last", async () => {
  const scenario = await Scenario.begin(emulator);
  const { control } = scenario;
  const source = "docker.io/library/ordered:1";
  for (const _ of ["the first image", "one that takes its place"]) {
    const { digest, referrers } = await control.signedImage(source);
    await control.clearRequests();
    await scenario.works(mirror(source, "ordered:1"), digest);

    const known = new Set([digest, ...referrers.map((one) => one.digest)]);
    const copied = (await control.requests({ from: "azure", method: "GET", path: "/manifests/", status: 200 }))
      .map(({ id, path: where }) => ({ id, digest: where.slice(where.lastIndexOf("/") + 1) }))
      .filter((one) => known.has(one.digest));
    expect(new Set(copied.map((one) => one.digest))).toEqual(known);
    expect([copied[0]?.digest, copied.at(-1)?.digest]).toEqual([digest, digest]);
    // The first import is over before the second one is requested, and all others before the last one.
    const imports = await control.imports();
    expect(imports).toHaveLength(referrers.length + 2);
    const others = copied.filter((one) => one.digest !== digest).map(({ id }) => id);
    expect(imports[1]?.id).toBeGreaterThan(copied[0]?.id ?? Number.NaN);
    expect(imports.at(-1)?.id).toBeGreaterThan(Math.max(...others));
  }
});

const REGISTRIES: Readonly<Record<string, ReferrersOptions>> = {
  "api.example.com": {},
  // https://github.com/NVIDIA/aicr/pull/1957, https://github.com/Azure/acr/issues/784
  "configs.example.com": { artifactTypes: "config" },
  "untyped.example.com": { artifactTypes: "missing" },
  "schema.example.com": { api: "missing" },
  // https://github.com/artifacthub/hub/issues/4785
  "ghcr.io": { api: "redirect", artifactTypes: "config" },
};

test("S20 everything arrives from registries with and without the API, and from those whose lists lie", async () => {
  const { control, project } = await Scenario.begin(emulator);
  // https://github.com/oras-project/oras-go/issues/1396: the tag of the list is the image itself.
  await control.hosts({
    ...Object.fromEntries(Object.entries(REGISTRIES).map(([host, referrers]) => [host, { referrers }])),
    "gitlab.example.com": { referrers: { api: "missing", digestTags: true } },
  });
  const expected: Record<string, readonly ReferrerDescription[]> = {};
  const images: Record<string, ReturnType<typeof mirror>> = {};
  for (const host of Object.keys(REGISTRIES)) {
    const name = host.replace(/\..*/, "");
    expected[name] = (await control.signedImage(`${host}/team/app:1`)).referrers;
    images[name] = mirror(`${host}/team/app:1`, `${name}:1`);
    // What counts is what the manifests say.
    images[`${name}Signed`] = mirror(`${host}/team/app:1`, `${name}-signed:1`, {
      artifactTypes: [BUNDLE, NOTATION],
      tags: false,
    });
  }
  const byTag = await control.moveTag("gitlab.example.com/team/app:1", {
    platforms: ["linux/amd64", "linux/arm64/v8"],
    referrers: [{ cosign: "sig" }, { cosign: "att" }],
  });
  expected.gitlab = byTag.referrers ?? [];
  images.gitlab = mirror("gitlab.example.com/team/app:1", "gitlab:1");

  await project.write(declareImages(images));
  const up = await project.up();
  expect([up.exitCode, up.diagnostics("error")]).toEqual([0, []]);
  const state = await project.state();
  for (const [name, referrers] of Object.entries(expected)) {
    await expectInTarget(name, referrers);
    expect(state.resource(name).outputs?.referrers).toBe(referrers.map(lineOf).sort().join("\n"));
    if (!(`${name}Signed` in images)) continue;
    const sbom = referrers.find(({ artifactType }) => artifactType === SBOM);
    const signatures = referrers.filter((one) => !one.tag && one !== sbom && one.subject !== sbom?.digest);
    expect(state.resource(`${name}Signed`).outputs?.referrers).toBe(signatures.map(lineOf).sort().join("\n"));
  }
  expect(expected.api).toHaveLength(8);
  expect(expected.gitlab).toHaveLength(2);
  // No redirect to a web page was followed.
  expect((await control.requests()).filter(({ refused }) => refused)).toEqual([]);
  expect((await project.up()).changes).toEqual({ same: Object.keys(images).length });
});

test("S20 signatures that cosign and notation-go have made still count in the target", async () => {
  const { control, project } = await Scenario.begin(emulator);
  for (const layout of ["cosign-bundles", "cosign-tag"]) {
    await control.pushLayout(`docker.io/real/${layout}`, path.join(__dirname, "../../fixtures/oci-layouts", layout));
  }
  pushNotationImage(emulator, "real/notation", ["jws p256, timestamped by ec", "cose rsa2048, timestamped by rsa"]);
  const policies = {
    "cosign-bundles": { cosign: { key: readFixtureKey("cosign") } },
    "cosign-tag": { cosign: { key: readFixtureKey("cosign") } },
    notation: { notation: NOTATION_POLICY },
  };
  const declare = (image: (name: string, verify: object) => object) =>
    declareImages(
      Object.fromEntries(
        Object.entries(policies).map(([name, verify]) => [name.replace("-", "_"), { ...image(name, verify) }]),
      ),
    );
  await project.write(declare((name) => mirror(`docker.io/real/${name}:1`, `real/${name}:1`)));
  expect((await project.up()).changes).toEqual({ create: 3 });

  const other = await Scenario.begin(emulator);
  await other.project.write(
    declare((name, verify) => ({
      registry: "myregistry",
      source: `myregistry.azurecr.io/real/${name}:1`,
      targetTags: [`verified/${name}:1`],
      verify,
    })),
  );
  const verified = await other.project.up();
  expect([verified.exitCode, verified.changes, verified.diagnostics("error")]).toEqual([0, { create: 3 }, []]);
});
