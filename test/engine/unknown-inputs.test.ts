/** Inputs that are unknown in preview. */
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";

const emulator = useEmulator();

/**
 * A registry of the same program: its resource creates it through the control API of the emulator, and its outputs are
 * unknown in the first preview, as with a real one.
 */
const madeHere = `
  const pulumi = require("@pulumi/pulumi");
  const { ImportedImage } = require("pulumi-acr-import");
  class Registry extends pulumi.dynamic.Resource {
    constructor(name, props) {
      super({
        async create(inputs) {
          const answer = await fetch(process.env.EMULATOR_CONTROL + "/registries/" + inputs.name, { method: "PUT", body: JSON.stringify(inputs.properties) });
          const made = await answer.json();
          if (!answer.ok) throw new Error(JSON.stringify(made));
          return { id: made.id, outs: { ...inputs, resourceId: made.id, loginServer: made.loginServer } };
        },
        async update(id, olds, news) {
          return { outs: { ...olds, ...news } };
        },
      }, name, { resourceId: undefined, loginServer: undefined, ...props });
    }
  }
  class Credentials extends pulumi.dynamic.Resource {
    constructor(name) {
      super({ async create() { return { id: "1", outs: { username: "emulator", password: ["dckr", "pat", "emulator"].join("_") } }; } },
        name, { username: undefined, password: undefined });
    }
  }
`;

test("a registry and credentials of the same program give unknown outputs in preview only where needed", async () => {
  const { control, env } = emulator;
  const { digest } = await control.moveTag("docker.io/library/fresh:1");
  const program = (more = "") => `${madeHere}
    const registry = new Registry("registry", { name: "madehere", properties: {} ${more} });
    const credentials = new Credentials("credentials");
    const open = new ImportedImage("open", { registry: registry.resourceId, source: "docker.io/library/fresh:1", onDelete: "untag" });
    const closed = new ImportedImage("closed", {
      registry: registry.loginServer,
      source: { image: "docker.io/tensorflow/tensorflow:latest-gpu", credentials: { username: credentials.username, password: credentials.password } },
    });
    const wholly = new ImportedImage("wholly", {
      registry: registry.loginServer,
      source: credentials.username.apply(() => "docker.io/library/fresh:1"),
      targetTags: registry.resourceId.apply(() => ["wholly:1"]),
    });
    open.sourceDigest.apply((known) => console.log("digest: " + known));
    closed.sourceDigest.apply((known) => console.log("closed: " + known));
    exports.reference = open.reference;
    exports.closed = closed.reference;
  `;
  const project = await PulumiProject.create({ env, program: program() });
  const preview = await project.preview();
  expect([preview.exitCode, preview.changes]).toEqual([0, { create: 5 }]);
  expect(preview.text).toContain(`digest: ${digest}`); // known, although the registry is not
  expect(preview.text).not.toContain("closed: "); // its credentials are unknown
  expect(preview.text).not.toMatch(/\[\w+_\w+\]/); // no error or warning code
  expect(await control.requests({ host: "management.azure.com" })).toEqual([]);

  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 5 }]);
  const { digest: gpu } = await control.image("docker.io/tensorflow/tensorflow:latest-gpu");
  expect(await project.outputs()).toEqual({
    reference: `madehere.azurecr.io/library/fresh@${digest}`,
    closed: `madehere.azurecr.io/tensorflow/tensorflow@${gpu}`,
  });
  expect(await control.digest("madehere.azurecr.io/wholly:1")).toBe(digest);
  expect((await project.up()).changes).toEqual({ same: 5 });

  // While the registry is updated, a preview has unknown outputs again, and shows an update instead of a replacement.
  await project.write(program(", sku: 'Standard'"));
  const changing = await project.preview();
  expect(changing.exitCode).toBe(0);
  expect(changing.changes).toEqual({ update: 4, same: 1 });
  expect(changing.steps("open").map(({ op }) => op)).toEqual(["update"]);
  await control.clearRequests();
  const changed = await project.up();
  expect([changed.exitCode, changed.changes]).toEqual([0, { update: 1, same: 4 }]);
  expect(await control.requests({ host: "management.azure.com" })).toEqual([]);
  expect(await control.imports()).toEqual([]);
});
