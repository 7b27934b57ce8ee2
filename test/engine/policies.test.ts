/** The policy pack of examples/policies, on the real engine: what it refuses in preview, and what passes. */

import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Digest } from "../../provider/reference/digest";
import { installPlugin, modulesWithSdk } from "../support/azure-native/install";
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { installPolicyPack } from "../support/policy-pack";
import { pushSignature } from "../support/push-signature";
import { newKeys } from "../support/sigstore/certificate-authority";
import { bundleByKey, bundleReferrer, statementFor } from "../support/sigstore/cosign-signer";

const emulator = useEmulator();

/** Imports an image, and runs another one, or the same. */
const program = (args: object, image: string) => `
  const app = require("@pulumi/azure-native/app");
  const { ImportedImage } = require("pulumi-acr-import");
  const imported = new ImportedImage("imported", ${JSON.stringify({ registry: "myregistry", ...args })});
  new app.ContainerApp("app", { resourceGroupName: "images", template: { containers: [{ name: "app", image: ${image} }] } });`;

test("policies refuse images that are not pinned or not signed, and pass those that are, in preview", async () => {
  const { folder, bin } = installPolicyPack("policies");
  const { control, env } = emulator;
  const source = "docker.io/owner/app:1.4";
  const { digest } = await control.moveTag(source);
  const keys = newKeys();
  const key = keys.publicKey.export({ format: "pem", type: "spki" });
  pushSignature(emulator, "owner/app", bundleReferrer(digest as Digest, bundleByKey(keys, statementFor(digest))));
  const project = await PulumiProject.create({
    env: { ...env, PATH: [bin, env.PATH ?? process.env.PATH].join(path.delimiter) },
    program: program({ source: "docker.io/library/hello-world:latest" }, '"docker.io/library/nginx:latest"'),
    nodeModules: modulesWithSdk(),
  });
  installPlugin(project.env);
  const args = ["--policy-pack", folder];

  const refused = await project.preview({ args });
  expect(refused.exitCode).not.toBe(0);
  expect(refused.text).toContain('The image "docker.io/library/nginx:latest" is not pinned');
  expect(refused.text).toContain("The image is not verified: set verify.");
  expect(refused.text).toContain('The source "docker.io/library/hello-world:latest" is not below docker.io/owner.');

  await project.write(program({ source, verify: { cosign: { key } } }, "imported.reference"));
  const passed = await project.preview({ args });
  expect([passed.exitCode, passed.changes, passed.diagnostics("error")]).toEqual([0, { create: 2 }, []]);
  expect(passed.text).not.toContain("[mandatory]");

  // The same program where other names are allowed.
  const config = path.join(project.folder, "policies.json");
  const settings = {
    "pinned-images": { registries: ["other.azurecr.io"] },
    "signed-imports": { sources: ["docker.io"], signers: ["somebody else"] },
  };
  writeFileSync(config, JSON.stringify(settings));
  const elsewhere = await project.preview({ args: [...args, "--policy-pack-config", config] });
  expect(elsewhere.exitCode).not.toBe(0);
  expect(elsewhere.text).toContain(`@${digest}" is not from other.azurecr.io.`);
  expect(elsewhere.text).toMatch(/The image is signed by "sha256:[0-9a-f]{64}", who is not allowed\./);
});
