/** What the programs under examples/ import, as its publisher has signed it, and the configuration that goes with it. */
import type { Digest } from "../../provider/reference/digest";
import { ISSUER } from "../support/cosign-fixtures";
import type { EmulatorControl, TestEmulator } from "../support/emulator";
import type { PulumiProject } from "../support/engine";
import { registryId } from "../support/fixtures";
import { pushSignature } from "../support/push-signature";
import { newKeys } from "../support/sigstore/certificate-authority";
import { bundleByCertificate, bundleByKey, bundleReferrer, statementFor } from "../support/sigstore/cosign-signer";
import { SigstoreDeployment } from "../support/sigstore/deployment";
import { CA_EXTENSIONS, issue } from "../unit/signature/notation-certificates";
import { ARTIFACT_TYPE, signJws } from "../unit/signature/notation-envelopes";

/** How an example is run, and what it is expected to export. */
export interface Example {
  readonly config?: Record<string, string>;
  readonly secrets?: Record<string, string>;
  /** Files that the user puts beside the program. */
  readonly files?: Record<string, string>;
  readonly outputs?: Record<string, unknown>;
  /** What happens after the second up, which changes nothing. */
  readonly later?: (project: PulumiProject) => Promise<void>;
}

const repository = "owner/app";
const app = `docker.io/${repository}:1.4`;

/** The examples by their folders. Each publishes its images first. */
export const examples: Readonly<Record<string, (emulator: TestEmulator) => Promise<Example>>> = {
  quickstart: async () => ({}),

  "private-source": async () => ({ config: { username: "emulator" }, secrets: { token: "dckr_pat_emulator" } }),

  "new-registry": async () => ({ config: { "azure-native:location": "westus" } }),

  "other-azure-registry": async () => ({ config: { source: registryId("mysourceregistry") } }),

  mirror: async ({ control }) => {
    const tags = [
      ...["15.9", "16.4", "17.2", "17", "17.2-alpine", "latest"].map((tag) => `library/postgres:${tag}`),
      ...["0", "1", "2", "3", "4", "5"].map((patch) => `library/nginx:1.27.${patch}-alpine`),
      ...["1.27.9", "alpine"].map((tag) => `library/nginx:${tag}`),
      ...["v2.55.0", "v3.0.0", "v3.1.0-rc.0", "v3.1.0"].map((tag) => `prom/prometheus:${tag}`),
    ];
    for (const tag of tags) await control.moveTag(`docker.io/${tag}`);
    const digest = await control.digest("docker.io/library/postgres:17.2");
    return {
      outputs: { database: `myregistry.azurecr.io/library/postgres@${digest}` },
      later: (project) => previewMirror(project, control),
    };
  },

  "one-platform": async ({ control }) => {
    const { digest } = await control.image("docker.io/library/hello-world:latest");
    return { outputs: { image: expect.not.stringContaining(digest), index: digest } };
  },

  "signatures-and-sboms": async ({ control }) => {
    const { referrers } = await control.signedImage(app);
    const tool = await control.signedImage("docker.io/owner/tool:2");
    const lines = expect.stringMatching(new RegExp(`^(\\S+ sha256:[0-9a-f]{64}(\\n|$)){${referrers.length}}$`));
    const sbom = tool.referrers.find(({ artifactType }) => artifactType === "application/spdx+json");
    return { outputs: { referrers: [lines, expect.not.stringContaining(sbom?.digest ?? "")] } };
  },

  "signed-by-identity": async (emulator) => {
    const { digest } = await emulator.control.moveTag(app);
    const deployment = new SigstoreDeployment();
    const at = new Date("2026-03-04T05:06:07Z");
    const subject = "https://github.com/owner/app/.github/workflows/release.yml@refs/tags/v1.4.0";
    const signer = deployment.certify({ issuer: ISSUER, subject, notBefore: at });
    const bundle = bundleByCertificate(deployment, signer, statementFor(digest), at);
    const signature = pushSignature(emulator, repository, bundleReferrer(digest as Digest, bundle));
    return {
      config: { trustedRoot: JSON.stringify(deployment.trustedRoot) },
      outputs: { signature, signedBy: expect.stringContaining(subject) },
    };
  },

  "signed-by-key": async (emulator) => {
    const { digest } = await emulator.control.moveTag(app);
    const keys = newKeys();
    const bundle = bundleByKey(keys, statementFor(digest));
    const signature = pushSignature(emulator, repository, bundleReferrer(digest as Digest, bundle));
    const pem = keys.publicKey.export({ format: "pem", type: "spki" }).toString();
    return { files: { "cosign.pub": pem }, outputs: { signature } };
  },

  "signed-by-notation": async (emulator) => {
    const { digest } = await emulator.control.moveTag(app);
    const validity = { from: "2020-01-01", to: "2090-01-01" };
    const ca = issue("authority", { ...validity, extensions: CA_EXTENSIONS });
    const leaf = issue("signer", { ...validity, issuer: ca });
    const manifest = emulator.server.images.publicStores.get("docker.io")?.manifest(repository, digest);
    const targetArtifact = { mediaType: manifest?.mediaType, digest, size: manifest?.bytes.length };
    const { mediaType, bytes } = signJws({ chain: [leaf, ca], payload: { targetArtifact } });
    const layers = [{ mediaType, content: bytes }];
    const made = { subject: digest as Digest, configType: ARTIFACT_TYPE, layers };
    const signature = pushSignature(emulator, repository, made);
    const signedBy = "C=US, ST=WA, O=Wabbit Networks, CN=signer";
    return { files: { "ca.pem": ca.pem }, outputs: { signature, signedBy } };
  },

  "careful-updates": async ({ control }) => {
    const { digest: latest } = await control.moveTag("docker.io/owner/app:latest");
    const { digest: release } = await control.moveTag(app);
    const images = [expect.stringContaining(latest), expect.stringContaining(release)];
    const later = async (project: PulumiProject) => {
      const { digest: waiting } = await control.moveTag("docker.io/owner/app:latest");
      expect((await project.up()).changes).toEqual({ same: 1, update: 1 });
      expect(await project.outputs()).toMatchObject({ images, waiting: expect.stringContaining(waiting) });
      await control.moveTag(app);
      expect((await project.preview()).text).toContain("[SOURCE_MOVED]");
    };
    return { outputs: { images }, later };
  },

  "locked-tags": async ({ server }) => ({
    later: async () => {
      const { store } = server.state.registries.find(({ name }) => name === "myregistry") ?? {};
      const locks = ["1.0", "latest"].map((tag) => store?.attributes("hello-world", tag));
      expect(locks).toMatchObject([
        { writeEnabled: false, deleteEnabled: false },
        { writeEnabled: true, deleteEnabled: false },
      ]);
    },
  }),

  "helm-values": async ({ control }) => {
    const { digest } = await control.image("docker.io/library/hello-world:latest");
    const parts = { registry: "myregistry.azurecr.io", repository: "library/hello-world", tag: "latest", digest };
    return {
      outputs: { values: { image: parts }, image: `myregistry.azurecr.io/library/hello-world:latest@${digest}` },
    };
  },
};

/** The preview of a mirror says what would change, by its exit code as well; `up` does it. */
async function previewMirror(project: PulumiProject, control: EmulatorControl): Promise<void> {
  const state = await project.state();
  const tagsOf = (name: string) =>
    String(state.resource(name).outputs?.tags)
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ", 1)[0]);
  expect(tagsOf("postgres")).toEqual(["16.4", "17.2"]);
  expect(tagsOf("nginx")).toEqual(["1", "2", "3", "4", "5"].map((patch) => `1.27.${patch}-alpine`));
  expect(tagsOf("prometheus")).toEqual(["3.0.0-mirror", "3.1.0-mirror"]);

  const args = ["--diff", "--expect-no-changes"];
  expect((await project.preview({ args })).exitCode).toBe(0);
  const { digest: moved } = await control.moveTag("docker.io/library/nginx:1.27.3-alpine");
  const { digest: young } = await control.moveTag("docker.io/library/nginx:1.27.10-alpine");
  const preview = await project.preview({ args });
  expect([preview.exitCode, preview.changes]).toEqual([7, { update: 1, same: 2 }]);
  const lines = preview.stdout.split("\n").flatMap((line) => /^ +([-+] \S+-alpine sha256:\S+)$/.exec(line)?.[1] ?? []);
  expect(lines).toEqual([
    expect.stringMatching(/^- 1\.27\.1-alpine /),
    `+ 1.27.10-alpine ${young}`,
    expect.stringMatching(/^- 1\.27\.3-alpine /),
    `+ 1.27.3-alpine ${moved}`,
  ]);

  expect((await project.up()).exitCode).toBe(0);
  const held = ["1.27.1", "1.27.3", "1.27.10"].map((version) =>
    control.digest(`myregistry.azurecr.io/library/nginx:${version}-alpine`),
  );
  expect(await Promise.all(held)).toEqual([undefined, moved, young]);
}
