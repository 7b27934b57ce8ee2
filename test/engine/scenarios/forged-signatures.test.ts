/** S21: each kind of forgery is refused in preview, for its own reason, and harms nothing else. */
import type { Digest } from "../../../provider/reference/digest";
import { useEmulator } from "../../support/emulator";
import { pushSignature, signatureTagOf } from "../../support/push-signature";
import { newKeys } from "../../support/sigstore/certificate-authority";
import { bundleByKey, bundleReferrer, statementFor } from "../../support/sigstore/cosign-signer";
import { pemOf } from "../../support/sigstore/forgery";
import { declareImages, type ImageArguments } from "../programs";
import { byIdentity, byKey, byNotation } from "./forgeries";
import { countRefusal, expectRefused, type Refusal, Scenario } from "./scenario";

const emulator = useEmulator();
let scenario: Scenario;
const neighbour = { registry: "myregistry", source: "docker.io/library/hello-world:latest" };

// In the stack of every test there is an image that has nothing to do with signatures.
beforeAll(async () => {
  scenario = await Scenario.begin(emulator);
  await scenario.project.write(declareImages({ neighbour }));
  expect((await scenario.project.up()).changes).toEqual({ create: 1 });
});
afterEach(() => emulator.control.faults());

const imageOf = (repository: string, verify: object): ImageArguments => ({
  registry: "myregistry",
  source: `docker.io/${repository}:1`,
  targetTags: [`${repository}:1`],
  verify,
});

/** Expects that a preview refuses the image, without a request to Resource Manager or the target, and that the state stays. */
async function expectPreviewRefused(way: string, image: ImageArguments, refusal: Refusal): Promise<void> {
  const { project } = scenario;
  const before = project.backend();
  await project.write(declareImages({ neighbour, image }));
  await emulator.control.clearRequests();
  expectRefused(way, await project.preview(), refusal);
  const sent = await emulator.control.requests({ from: "client" });
  expect(sent.filter(({ host, method }) => method === "POST" && host.startsWith("management."))).toEqual([]);
  expect(await emulator.control.requests({ from: "azure" })).toEqual([]);
  expect(project.backend()).toBe(before);
}

test.each(Object.entries({ "cosign by key": byKey, "cosign by identity": byIdentity, Notation: byNotation }))(
  "S21 %s: no forgery counts",
  async (way, { verify, tool, forge }) => {
    const repository = `forged/${way.toLowerCase().replaceAll(" ", "-")}`;
    const { digest } = await emulator.control.moveTag(`docker.io/${repository}:1`);
    const forged = forge(digest as Digest).map(({ made, reason, tagged }) => {
      const pushed = pushSignature(emulator, repository, made, tagged && signatureTagOf(digest));
      return `${pushed} ${reason}`;
    });
    await expectPreviewRefused(way, imageOf(repository, verify), {
      code: "SIGNATURE_REJECTED",
      message: [`verify: source: docker.io/${repository}@${digest} has no valid ${tool} signature: `, ...forged],
    });
    for (const _ of forged) countRefusal();
  },
);

test("S21 an unsigned image is refused until it is signed, and so is a tag that moves to an unsigned one", async () => {
  const { project } = scenario;
  const keys = newKeys();
  const repository = "library/unsigned";
  const source = `docker.io/${repository}:1`;
  const image = imageOf(repository, { cosign: { key: pemOf(keys) } });
  const sign = (digest: string) =>
    pushSignature(emulator, repository, bundleReferrer(digest as Digest, bundleByKey(keys, statementFor(digest))));
  const up = async () => {
    const { exitCode, changes } = await project.up();
    return [exitCode, changes, await emulator.control.digest(`myregistry.azurecr.io/${repository}:1`)];
  };
  const { digest: first } = await emulator.control.moveTag(source);
  const missing = { code: "SIGNATURE_MISSING", message: [`docker.io/${repository}@${first} has no cosign signature`] };
  await expectPreviewRefused("no signature", image, missing);
  expectRefused("no signature, without a preview", await project.up(), missing);
  expect(await emulator.control.imports()).toEqual([]);
  sign(first);
  await emulator.control.faults({ path: "/referrers/", from: "client", status: 403 });
  await expectPreviewRefused("signatures that cannot be read", image, {
    code: "SIGNATURE_UNREADABLE",
    message: [`the cosign signatures of docker.io/${repository}@${first} could not be read`],
  });
  await emulator.control.faults();
  expect(await up()).toEqual([0, { create: 1, same: 1 }, first]);

  const { digest: second } = await emulator.control.moveTag(source);
  await expectPreviewRefused("a tag that moved to an unsigned image", image, {
    code: "SIGNATURE_MISSING",
    message: [`docker.io/${repository}@${second} has no cosign signature`],
  });
  expect(await emulator.control.digest(`myregistry.azurecr.io/${repository}:1`)).toBe(first);
  const signature = sign(second);
  expect(await up()).toEqual([0, { update: 1, same: 1 }, second]);
  expect((await project.state()).resource("image").outputs?.signature).toBe(signature);
});
