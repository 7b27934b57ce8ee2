/** An image of a real registry, compared byte for byte after the import. */
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { createTar } from "acr-emulator";
import { environment } from "../../scripts/environment";
import { runOrFail } from "../../scripts/process";
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { startRegistry } from "../support/registry";
import { describeWithTools } from "../support/tools";
import { imageProgram } from "./programs";

describeWithTools("an image that crane pushed to a real registry", ({ crane, registry }) => {
  const emulator = useEmulator();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "real-registry-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("arrives byte for byte in the target, and again after another push", async () => {
    const { control, env } = emulator;
    const server = await startRegistry(registry);
    const publicName = "open.example.com";
    await control.hosts({ [publicName]: server.url });
    const home = path.join(folder, "home");
    await mkdir(home);
    const inTheBox = environment(home, { ...env, DOCKER_CONFIG: path.join(home, ".docker") });
    const run = (...args: string[]) => runOrFail(crane, args, { env: inTheBox });
    await run("auth", "login", "myregistry.azurecr.io", "-u", `${env.ARM_CLIENT_ID}`, "-p", `${env.ARM_CLIENT_SECRET}`);
    const source = `${publicName}/team/app:1.0`;
    const pushed = await pushIndex(run, home, source);
    // The real server stores the image, not the emulator.
    expect(server.output()).toContain("/v2/team/app/manifests/");

    const project = await PulumiProject.create({
      env,
      program: imageProgram({
        registry: "myregistry",
        source,
        targetTags: ["pushed/app:1.0"],
      }),
    });
    const up = await project.up();
    expect([up.exitCode, up.changes]).toEqual([0, { create: 1 }]);
    expect((await project.state()).resource("app").outputs).toMatchObject({
      sourceDigest: pushed,
      platforms: ["linux/amd64", "linux/arm64"],
      verifiedBy: "digest",
    });

    const target = "myregistry.azurecr.io/pushed/app";
    expect((await run("digest", `${target}:1.0`)).trim()).toBe(pushed);
    const content = await contentOf(run, home, `${target}:1.0`);
    expect(content.size).toBe(1 + 2 * 3); // the index, and for each platform manifest, configuration and layer
    expect(content).toEqual(await contentOf(run, home, source));

    // A second up sends one HEAD to the real server.
    const before = server.output();
    expect((await project.up()).changes).toEqual({ same: 1 });
    const received = [
      ...server
        .output()
        .slice(before.length)
        .matchAll(/"(GET|HEAD) (\/v2\/\S*) /g),
    ].map(([, method, url]) => `${method} ${url}`);
    expect(received.filter((each) => each.includes("/manifests/"))).toEqual(["HEAD /v2/team/app/manifests/1.0"]);

    // Another push moves the tag.
    const moved = await pushIndex(run, home, source);
    expect(moved).not.toBe(pushed);
    expect((await project.up()).changes).toEqual({ update: 1 });
    expect((await run("digest", `${target}:1.0`)).trim()).toBe(moved);

    await server.stop();
  });
});

type Crane = (...args: string[]) => Promise<string>;

/** Pushes a new image for two platforms, and returns the digest of its index. */
async function pushIndex(run: Crane, home: string, reference: string): Promise<string> {
  const children = [];
  for (const architecture of ["amd64", "arm64"]) {
    const layer = path.join(home, `${architecture}.tar.gz`);
    await writeFile(
      layer,
      gzipSync(createTar("hello.txt", Buffer.from(`${architecture} ${randomUUID()}\n`.repeat(2_000)))),
    );
    const child = `${reference}-${architecture}`;
    await run("append", "--oci-empty-base", "--new_layer", layer, "--new_tag", child);
    await run("mutate", child, "--set-platform", `linux/${architecture}`, "--tag", child);
    children.push("--manifest", child);
  }
  await run("index", "append", "--tag", reference, ...children);
  return (await run("digest", reference)).trim();
}

/** The manifests, configurations and layers of an image by digest, as crane pulls them. */
async function contentOf(run: Crane, home: string, reference: string): Promise<Map<string, Buffer>> {
  const layout = await mkdtemp(path.join(home, "layout-"));
  await run("pull", "--format", "oci", reference, layout);
  const blobs = path.join(layout, "blobs", "sha256");
  const names = (await readdir(blobs)).sort();
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(path.join(blobs, name))] as const)));
}
