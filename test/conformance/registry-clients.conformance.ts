/** crane and skopeo against the registries of the emulator. */

import { dockerHubAccount } from "acr-emulator";
import { runOrFail } from "../../scripts/process";
import { useEmulator } from "../support/emulator";
import { clientPath } from "./clients";
import { Crane } from "./crane";
import { shorten } from "./print";
import { recordRow } from "./results";

const hub = "docker.io/library/hello-world:latest";
const microsoft = "mcr.microsoft.com/windows/servercore:ltsc2019";
const azure = "mysourceregistry.azurecr.io/aci-helloworld:latest";
const privateImage = "docker.io/emulator/private:latest";

const emulator = useEmulator();
let crane: Crane;
beforeAll(async () => {
  crane = await Crane.at(emulator, "myregistry", "mysourceregistry");
});

describe("crane", () => {
  const run = async (...args: string[]) => {
    const printed = await crane.run(...args);
    recordRow("clients", "crane", `\`crane ${args.join(" ")}\``, shorten(printed.trim().split("\n").at(-1) || "done"));
    return printed.trim();
  };

  test.each([hub, microsoft, azure])("crane digest %s", async (reference) => {
    expect(await run("digest", reference)).toBe((await emulator.control.image(reference)).digest);
  });

  test("crane digest of a private repository is denied without the token of its owner", async () => {
    await expect(crane.run("digest", privateImage)).rejects.toThrow(/UNAUTHORIZED|DENIED|denied/);
    crane.logIn("https://index.docker.io/v1/", dockerHubAccount);
    expect(await run("digest", privateImage)).toBe((await emulator.control.image(privateImage)).digest);
  });

  test.each([
    ["from Docker Hub", hub, "myregistry.azurecr.io/crane/hello-world:latest"],
    ["between Azure registries", azure, "myregistry.azurecr.io/crane/aci-helloworld:latest"],
  ])("crane copy %s, crane validate", async (_, source, target) => {
    await run("copy", source, target);
    expect(await crane.manifests(target)).toEqual(await crane.manifests(source));
    await run("validate", "--remote", target);
  });

  test.each([hub, microsoft, azure])("crane validate --remote %s", async (reference) => {
    expect(await run("validate", "--remote", reference)).toContain("PASS");
  });
});

const { CONFORMANCE_SKOPEO } = process.env;
const describeSkopeo = CONFORMANCE_SKOPEO === undefined ? describe.skip : describe;
describeSkopeo(CONFORMANCE_SKOPEO === undefined ? "skopeo (skipped: not found on PATH)" : "skopeo", () => {
  const skopeo = async (...args: string[]) => {
    const printed = await runOrFail(clientPath("CONFORMANCE_SKOPEO"), ["--insecure-policy", ...args], {
      env: crane.env,
    });
    const shown = args.map((arg, index) => (/-?creds$/.test(args[index - 1] ?? "") ? "…" : arg));
    recordRow("clients", "skopeo", `\`skopeo ${shown.join(" ")}\``, args.includes("copy") ? "done" : "inspected");
    return printed;
  };
  const account = () => `${emulator.env.ARM_CLIENT_ID}:${emulator.env.ARM_CLIENT_SECRET}`;

  test.each([hub, microsoft, azure])("skopeo inspect --raw %s", async (reference) => {
    const [root] = (await crane.manifests(reference)).values();
    expect(await skopeo("inspect", "--raw", `docker://${reference}`)).toBe(root);
  });

  test("skopeo inspect of one platform", async () => {
    const found = JSON.parse(await skopeo("--override-os", "linux", "inspect", `docker://${hub}`));
    expect(found).toMatchObject({
      Digest: (await emulator.control.image(hub)).digest,
      RepoTags: ["latest"],
      Os: "linux",
    });
  });

  test("skopeo copy --all from Docker Hub into an Azure registry", async () => {
    const target = "myregistry.azurecr.io/skopeo/hello-world:latest";
    await skopeo("copy", "--all", "--dest-creds", account(), `docker://${hub}`, `docker://${target}`);
    expect(await crane.manifests(target)).toEqual(await crane.manifests(hub));
    await crane.run("validate", "--remote", target);
  });

  test("skopeo copy between Azure registries", async () => {
    const target = "myregistry.azurecr.io/skopeo/aci-helloworld:latest";
    const credentials = ["--src-creds", account(), "--dest-creds", account()];
    await skopeo("copy", "--all", ...credentials, `docker://${azure}`, `docker://${target}`);
    expect(await crane.manifests(target)).toEqual(await crane.manifests(azure));
  });
});
