/** The programs under examples/; the one with azure-native runs with the stand-ins for its SDK and its plugin. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { installPlugin, modulesWithSdk } from "../support/azure-native/install";
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { registryId } from "../support/fixtures";

const folder = path.join(__dirname, "../../examples");

/** What an example needs. */
interface Settings {
  config?: Record<string, string>;
  secrets?: Record<string, string>;
  /** Images of Docker Hub that the emulator does not have by default. */
  images?: readonly string[];
}

/** An example that is missing here fails. */
const settings: Record<string, Settings> = {
  quickstart: {},
  "private-source": { config: { username: "emulator" }, secrets: { token: "dckr_pat_emulator" } },
  "new-registry": { config: { "azure-native:location": "westus" } },
  "other-azure-registry": {
    config: { source: registryId("mysourceregistry") },
  },
  mirror: {
    images: [
      ...["15.9", "16.4", "17.2", "17", "17.2-alpine", "latest"].map((tag) => `library/postgres:${tag}`),
      ...["0", "1", "2", "3", "4", "5"].map((patch) => `library/nginx:1.27.${patch}-alpine`),
      ...["1.27.9", "alpine"].map((tag) => `library/nginx:${tag}`),
      ...["v2.55.0", "v3.0.0", "v3.1.0-rc.0", "v3.1.0"].map((tag) => `prom/prometheus:${tag}`),
    ],
  },
};

const emulator = useEmulator();

test.each(
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name),
)("the example %s is deployed, unchanged by a second up, and destroyed", async (example) => {
  const project = await createProject(example);
  const up = await project.up({ args: ["--skip-preview"] });
  expect([up.exitCode, up.diagnostics("error")]).toEqual([0, []]);
  const again = await project.up({ args: ["--skip-preview", "--expect-no-changes"] });
  expect(again.exitCode).toBe(0);
  expect((await project.destroy({ args: ["--skip-preview"] })).exitCode).toBe(0);
});

test("the example mirror imports what it selects, and a preview says what would change", async () => {
  const { control } = emulator;
  const project = await createProject("mirror");
  expect((await project.up()).exitCode).toBe(0);
  const state = await project.state();
  const tagsOf = (name: string) =>
    String(state.resource(name).outputs?.tags)
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
  expect(preview.exitCode).toBe(7);
  expect(preview.changes).toEqual({ update: 1, same: 2 });
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
});

/** A copy of an example with all that it needs. */
async function createProject(example: string): Promise<PulumiProject> {
  const { images = [], ...known } = settings[example] ?? {};
  if (settings[example] === undefined) throw new Error(`examples/${example} has no configuration in this test`);
  const { control } = emulator;
  for (const reference of images.map((image) => `docker.io/${image}`)) {
    // Another test of this file may have published it, and left a copy in the target.
    if ((await control.digest(reference)) === undefined) await control.moveTag(reference);
  }
  const nodeModules = usesAzureNative(example) ? { nodeModules: modulesWithSdk() } : {};
  const project = await PulumiProject.create({ example, env: emulator.env, ...nodeModules, ...known });
  installPlugin(project.env);
  return project;
}

function usesAzureNative(example: string): boolean {
  return readFileSync(path.join(folder, example, "package.json"), "utf8").includes("@pulumi/azure-native");
}
