/** S11: runs without Docker and without child processes. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { defaultIdentity } from "acr-emulator";
import { descendants, type Running } from "../../../scripts/process";
import { startTestEmulator } from "../../support/emulator";
import { PulumiProject } from "../../support/engine";
import { imageProgram } from "../programs";
import { withoutAzure } from "../without-azure";
import { installAzureCli } from "./azure-cli";

// Reads /proc.
const onLinux = process.platform === "linux" ? test : test.skip;

onLinux("S11 needs no Docker, and starts no child process but the Azure CLI when it signs in with it", async () => {
  const { control, env } = await startTestEmulator();
  const folder = await mkdtemp(path.join(tmpdir(), "no-docker-"));
  // PATH has only Node, the engine and, later, a logged-in Azure CLI.
  await symlink(process.execPath, path.join(folder, "node"));
  const { digest } = await control.moveTag("docker.io/library/alone:1");
  const { digest: near } = await control.moveTag("mysourceregistry.azurecr.io/near:1");
  const image = (source: string) => imageProgram({ registry: "myregistry", source });
  // Unlike a look into /proc, a record of each Node process misses no child.
  const children = path.join(folder, "children");
  await writeFile(path.join(folder, "note-children.cjs"), noteChildren);
  const project = await PulumiProject.create({
    env: { ...env, PATH: folder, NODE_OPTIONS: `--require=${folder}/note-children.cjs`, CHILDREN: children },
    program: image("alone:1"),
  });

  expect((await project.preview()).exitCode).toBe(0);
  await control.clearRequests();
  const secret = await watched(project.start("up"));
  expect([secret.exitCode, secret.strangers]).toEqual([0, []]);
  expect(await control.digest("myregistry.azurecr.io/library/alone:1")).toBe(digest);
  // Only Azure reads layers.
  expect(await control.requests({ from: "client", path: "/blobs/" })).toEqual([]);
  expect(await control.requests({ from: "azure", path: "/blobs/" })).not.toEqual([]);

  expect((await project.refresh()).changes).toEqual({ same: 1 });
  const notes = readFileSync(children, "utf8").trim().split("\n");
  expect(notes.filter((note) => note.startsWith("loaded")).length).toBeGreaterThan(3);
  expect(notes.filter((note) => !note.startsWith("loaded"))).toEqual([]);

  const cli = await installAzureCli(folder, defaultIdentity.clientId);
  await project.write(image("mysourceregistry.azurecr.io/near:1"));
  const asUser = await watched(project.start("up", undefined, withoutAzure));
  expect([asUser.exitCode, asUser.output]).toEqual([0, expect.any(String)]);
  expect(await control.digest("myregistry.azurecr.io/near:1")).toBe(near);
  const calls = await cli.takeCalls();
  expect(calls.length).toBeGreaterThanOrEqual(3);
  expect(calls.filter((call) => !call.startsWith("account get-access-token "))).toEqual([]);
  expect(asUser.strangers.filter((command) => !/\baz account get-access-token /.test(command))).toEqual([]);
  await rm(folder, { recursive: true });
});

/** Loaded into every Node process of a command: records its start and every process that it starts. */
const noteChildren = `
  const { appendFileSync } = require("node:fs");
  const note = (line) => appendFileSync(process.env.CHILDREN, line + "\\n");
  note("loaded " + process.argv[1]);
  const children = require("node:child_process");
  for (const name of ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"]) {
    const original = children[name];
    children[name] = (...args) => {
      note(name + " " + args[0]);
      return original(...args);
    };
  }
  require("node:module").syncBuiltinESMExports();
`;

/** The descendants of a command, except for the engine and its two Node processes. */
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
  // The engine runs `node --version` itself.
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
