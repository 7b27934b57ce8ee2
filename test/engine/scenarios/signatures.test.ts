/** S21: what cosign and Notation sign counts, in each of its forms, and is known in preview. */
import path from "node:path";
import { type FixtureName, fixtureRoot, ISSUER, readFixtureKey, storedFixture } from "../../support/cosign-fixtures";
import { useEmulator } from "../../support/emulator";
import { NOTATION_POLICY, type NotationFixture, pushNotationImage } from "../../support/notation-fixtures";
import { pushSignature, signatureTagOf } from "../../support/push-signature";
import { declareImages } from "../programs";
import { Scenario } from "./scenario";

const emulator = useEmulator();

const layout = path.join(__dirname, "../../fixtures/oci-layouts/cosign-tag");
const byKey = (name: Parameters<typeof readFixtureKey>[0]) => ({ cosign: { key: readFixtureKey(name) } });
const byIdentity = {
  cosign: {
    issuer: ISSUER,
    subject: "https://github\\.com/octo/app/\\.github/workflows/release\\.yml@refs/tags/v.*",
    trustedRoot: fixtureRoot,
  },
};

/** Each form, with the fixture that has it: made by cosign 2 and 3 and notation-go. */
const COSIGN: readonly (readonly [form: string, fixture: FixtureName, verify: object])[] = [
  ["bundle", "bundle-by-key", byKey("cosign")],
  ["tag", "simple-signing-by-key", byKey("cosign")],
  ["referrer", "simple-signing-as-referrer", byKey("rsa2048")],
  ["identity", "bundle-by-identity", byIdentity],
  ["identityTag", "simple-signing-by-identity", byIdentity],
];
const NOTATION: readonly (readonly [form: string, fixture: NotationFixture])[] = [
  ["jws", "jws p256, timestamped by ec"],
  ["cose", "cose rsa2048, timestamped by rsa"],
];

/** Pushes an image with one signature of cosign, and returns the digest of the signature. */
async function pushCosigned(repository: string, fixture: FixtureName): Promise<string> {
  const { 1: digest = "" } = await emulator.control.pushLayout(`docker.io/${repository}`, layout);
  await emulator.control.removeTag(`docker.io/${repository}:${signatureTagOf(digest)}`);
  const stored = await storedFixture(fixture);
  return pushSignature(emulator, repository, stored, stored.subject ? undefined : signatureTagOf(digest));
}

test("S21 each form of cosign's and Notation's signatures is found in preview, and a second up sends nothing for it", async () => {
  const { control, project } = await Scenario.begin(emulator);
  const signatures: Record<string, string | undefined> = {};
  const images: Record<string, object> = {};
  const declare = (form: string, repository: string, verify: object) => {
    const source = `docker.io/${repository}:1`;
    images[form] = { registry: "myregistry", source, targetTags: [`${repository}:1`], verify };
  };
  for (const [form, fixture, verify] of COSIGN) {
    const repository = `signed/${form.toLowerCase()}`;
    signatures[form] = await pushCosigned(repository, fixture);
    declare(form, repository, verify);
  }
  for (const [form, fixture] of NOTATION) {
    [signatures[form]] = pushNotationImage(emulator, `signed/${form}`, [fixture]);
    declare(form, `signed/${form}`, { notation: NOTATION_POLICY });
  }
  const forms = Object.keys(images);
  // In a preview, `apply` runs only for known values.
  const printed = `{ ${forms.map((form) => `${form}: [${form}.signature, ${form}.signedBy]`).join(", ")} }`;
  await project.write(`${declareImages(images as Record<string, Record<string, unknown>>)}
    require("@pulumi/pulumi").output(${printed}).apply((known) => console.log("known: " + JSON.stringify(known)));`);
  const knownIn = (text: string) => JSON.parse(text.match(/known: (.*)/)?.[1] ?? "{}");

  const preview = await project.preview();
  expect([preview.exitCode, preview.diagnostics("error"), preview.changes]).toEqual([0, [], { create: forms.length }]);
  expect(knownIn(preview.text)).toEqual(
    Object.fromEntries(forms.map((form) => [form, [signatures[form], expect.any(String)]])),
  );
  const up = await project.up();
  expect([up.changes, knownIn(up.text)]).toEqual([{ create: forms.length }, knownIn(preview.text)]);
  for (const form of forms) {
    const repository = `signed/${form.toLowerCase()}:1`;
    const held = await control.digest(`myregistry.azurecr.io/${repository}`);
    expect([form, held]).toEqual([form, await control.digest(`docker.io/${repository}`)]);
  }

  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ same: forms.length });
  const sent = (await control.requests({ from: "client", path: "/v2/signed/" })).map(({ method }) => method);
  expect(sent).toEqual(forms.map(() => "HEAD"));
  expect(await control.requests({ from: "client", host: "myregistry.azurecr.io" })).toEqual([]);
});
