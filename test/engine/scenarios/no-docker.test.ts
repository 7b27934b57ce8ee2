import { readFileSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { defaultIdentity } from "acr-emulator";
import { descendants, type Running } from "../../../scripts/process";
import { startTestEmulator } from "../../support/emulator";
import { PulumiProject } from "../../support/engine";
import { imageProgram } from "../programs";
import { withoutAzure } from "../without-azure";
import { installAzureCli } from "./azure-cli";

// The child processes of a run are counted in /proc.
const onLinux = process.platform === "linux" ? test : test.skip;

onLinux("S11 no Docker anywhere, and no child process but the credential's own", async () => {
  const { control, env } = await startTestEmulator();
  const folder = await mkdtemp(path.join(tmpdir(), "no-docker-"));
  // Nothing is found on this PATH but Node, the engine and, for whoever asks for it, a logged-in Azure CLI.
  await symlink(process.execPath, path.join(folder, "node"));
  const { digest } = await control.moveTag("docker.io/library/alone:1");
  const { digest: near } = await control.moveTag("mysourceregistry.azurecr.io/near:1");
  const image = (source: string) => imageProgram({ registry: "myregistry", source });
  const project = await PulumiProject.create({ env: { ...env, PATH: folder }, program: image("alone:1") });

  await control.clearRequests();
  const secret = await watched(project.start("up"));
  expect([secret.exitCode, secret.strangers]).toEqual([0, []]);
  expect(await control.digest("myregistry.azurecr.io/library/alone:1")).toBe(digest);
  // Server to server: not one byte of a layer came by here.
  expect(await control.requests({ from: "client", path: "/blobs/" })).toEqual([]);
  expect(await control.requests({ from: "azure", path: "/blobs/" })).not.toEqual([]);

  const cli = await installAzureCli(folder, defaultIdentity.clientId);
  await project.write(image("mysourceregistry.azurecr.io/near:1"));
  const asUser = await watched(project.start("up", undefined, withoutAzure));
  expect([asUser.exitCode, asUser.output]).toEqual([0, expect.any(String)]);
  expect(await control.digest("myregistry.azurecr.io/near:1")).toBe(near);
  const calls = await cli.takeCalls();
  expect(calls.length).toBeGreaterThanOrEqual(3);
  expect(calls.filter((call) => !call.startsWith("account get-access-token "))).toEqual([]);
  expect(asUser.strangers.filter((command) => !/\baz account get-access-token /.test(command))).toEqual([]);
  expect(asUser.strangers).not.toEqual([]);
  await rm(folder, { recursive: true });
});

/** Everything below a command that is neither the engine nor one of its two Node processes. */
async function watched(running: Running): Promise<{ exitCode: number | null; output: string; strangers: string[] }> {
  const seen = new Set<string>();
  let ended = false;
  const look = async () => {
    while (!ended) {
      for (const pid of descendants(running.pid)) seen.add(commandOf(pid));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const looking = look();
  const { exitCode } = await running.finished;
  ended = true;
  await looking;
  // The engine itself asks which Node there is.
  const known =
    /^$|(^|\/)pulumi(-language-nodejs|-resource-pulumi-nodejs)? |@pulumi\/pulumi\/cmd\/(run|dynamic-provider)\b|\/node --version$/;
  return { exitCode, output: running.output(), strangers: [...seen].filter((command) => !known.test(command)) };
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return ""; // ended meanwhile
  }
}
