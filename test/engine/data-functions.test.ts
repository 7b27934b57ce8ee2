/** The functions that read a source while a program runs, on the engine. */
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";

const emulator = useEmulator();
const repository = "docker.io/library/functions";
const credentials = { username: "emulator", password: "dckr_pat_emulator" };

const program = (body: string) => `
  const pulumi = require("@pulumi/pulumi");
  const { getImageDigest, getImageDigestOutput, getImageTags, getImageTagsOutput, ImportedImage } = require("pulumi-acr-import");
  const config = new pulumi.Config();
  ${body}`;

test("digests and tags are known in preview, share the requests of resources, and credentials do not make them secret", async () => {
  const { control, env } = emulator;
  for (const tag of ["1.9.0", "1.10.0", "latest"]) await control.moveTag(`${repository}:${tag}`);
  const digest = await control.digest(`${repository}:1.10.0`);
  const secrets = { password: credentials.password };
  const project = await PulumiProject.create({
    env,
    secrets,
    program: program(`
    module.exports = async () => {
      const { tags, repository } = await getImageTags({ source: "functions", newest: 1 });
      const source = repository + ":" + tags[0];
      const image = new ImportedImage("image", { registry: "myregistry", source });
      const { digest, reference } = await getImageDigest({ source });
      const credentials = { username: "${credentials.username}", password: config.requireSecret("password") };
      const listed = getImageTagsOutput({ source: { repository, credentials }, match: "1.*" });
      const secret = getImageDigestOutput({ source: pulumi.secret(source) });
      const late = getImageDigestOutput({ source: "functions:latest" }, { dependsOn: image });
      return {
        tags, digest, reference, listed: listed.tags, imported: image.sourceDigest,
        secret: secret.digest, isSecret: pulumi.isSecret(secret.digest), late: late.digest,
      };
    };`),
  });
  const preview = await project.preview();
  expect(preview.exitCode).toBe(0);
  expect(preview.text).toContain(`reference: "${repository}@${digest}"`);
  // The image does not exist yet, so that what waits for it is unknown.
  expect(preview.text).toMatch(/late +: (\[unknown\]|output<string>)/);
  await control.clearRequests();
  await project.up({ args: ["--skip-preview"] });
  const outputs = await project.outputs();
  expect(outputs).toEqual({
    tags: ["1.10.0"],
    digest,
    reference: `${repository}@${digest}`,
    listed: ["1.10.0", "1.9.0"],
    imported: digest,
    secret: "[secret]",
    isSecret: true,
    late: await control.digest(`${repository}:latest`),
  });
  const sent = (await control.requests({ from: "client" })).filter(({ path }) => path.includes("library/functions"));
  const paths = sent
    .filter(({ host }) => host === "registry-1.docker.io")
    .map(({ method, path }) => `${method} ${path}`);
  expect(paths.sort()).toEqual([
    // The second list is that of the account.
    "GET /v2/library/functions/tags/list?n=1000",
    "GET /v2/library/functions/tags/list?n=1000",
    "HEAD /v2/library/functions/manifests/1.10.0",
    "HEAD /v2/library/functions/manifests/latest",
  ]);
  await project.close();
});

test("failures end the preview without a stack trace: wrong arguments, an image that is missing, unsupported options", async () => {
  const project = await PulumiProject.create({
    env: emulator.env,
    program: program(`
    const { Provider } = require("pulumi-acr-import");
    getImageTags({ source: "functions:1", semver: "new" });
    getImageDigestOutput({ source: pulumi.output("mcr.microsoft.com/no/such:1") });
    getImageDigest({ source: pulumi.output("functions:1") });
    getImageTags({ source: "functions" }, { provider: new Provider("other") });`),
  });
  const preview = await project.preview();
  expect(preview.exitCode).not.toBe(0);
  const errors = preview.diagnostics("error").join("\n");
  for (const message of [
    `getImageTags: source: must be a repository without a tag [INVALID_ARGUMENT]
getImageTags: semver: must be a range of versions [INVALID_ARGUMENT]
  Hint: Write it as npm does: >=1.29 <1.35, ^1.29, 1.29.x, or several with ||. A comma means and`,
    "getImageDigest: source: mcr.microsoft.com/no/such:1 was not found [SOURCE_NOT_FOUND]\n  Hint: ",
    "getImageDigest: arguments must be plain values\n  Hint: Pass outputs and promises to getImageDigestOutput",
    "getImageTags: opts.provider is not supported\n  Hint: Remove the option",
  ]) {
    expect(errors).toContain(message);
  }
  expect(preview.text).not.toMatch(/\n\s+at /);
  await project.close();
});
