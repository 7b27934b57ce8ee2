/** Tests of the command line: what is printed, how a command runs inside the emulator, and when the emulator ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { environment } from "../../scripts/environment";
import { until } from "./client";

const root = path.resolve(__dirname, "../..");

/** The caller's folder, and the one for temporary files, in which everything left behind shows. */
let folder: string;
let temporaryFolder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), "emulator-command-")));
  temporaryFolder = realpathSync(mkdtempSync(path.join(tmpdir(), "emulator-temporary-")));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
  rmSync(temporaryFolder, { recursive: true });
});

const temporary = () => readdirSync(temporaryFolder).filter((name) => name.startsWith("acr-emulator-"));

const byNode = [process.execPath, path.join(root, "emulator/bin.cjs")];
const byNpm = ["npm", "run", "--silent", "--ignore-scripts", "--no-update-notifier", "emulator", "--"];
const byNpx = ["npx", "--no", "--no-update-notifier", "acr-emulator", "--"];

function emulator(command: string[], variables: NodeJS.ProcessEnv = {}): ChildProcess {
  return start([...byNode, ...command], { INIT_CWD: folder, ...variables });
}

function start([program = "", ...args]: readonly string[], variables: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(program, args, {
    cwd: root,
    env: environment(process.env.HOME ?? folder, { TMPDIR: temporaryFolder, ...variables }),
    stdio: ["ignore", "pipe", "pipe"],
  });
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Resolves when the output is closed: by the process, and by every descendant that inherited it. */
function ended(child: ChildProcess): Promise<Ended> {
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    output.stderr += chunk;
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, ...output })));
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    child.on("close", (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
}

describe("without a command", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "prints one line with its addresses, and removes its folder on %s",
    async (signal) => {
      const child = emulator([]);
      const line = JSON.parse(await firstLine(child));
      expect(Object.keys(line)).toEqual(["proxy", "ca", "control", "env"]);
      expect(line.env.HTTPS_PROXY).toBe(line.proxy);
      expect(existsSync(line.ca)).toBe(true);
      expect(await (await fetch(`${line.control}/requests`)).json()).toEqual([]);
      const end = ended(child);
      child.kill(signal);
      expect((await end).code).toBe(0);
      expect(temporary()).toEqual([]);
    },
  );

  test("--help prints the usage, an unknown option is an error", async () => {
    expect(await ended(emulator(["--help"]))).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage:/) });
    const { code, stderr } = await ended(emulator(["--port=1"]));
    expect([code, stderr]).toEqual([1, expect.stringContaining("unknown option --port=1")]);
  });
});

describe("with a command", () => {
  test("runs it in the caller's folder and ends with its exit code", async () => {
    const { code, stdout } = await ended(emulator(["sh", "-c", "pwd; exit 7"]));
    expect([code, stdout]).toEqual([7, `${folder}\n`]);
    expect(temporary()).toEqual([]);
  });

  test("sets the variables of a client, and removes foreign proxies and identities", async () => {
    const { stdout } = await ended(
      emulator(["--", "env"], {
        https_proxy: "http://10.0.0.1:3128",
        HTTP_PROXY: "http://10.0.0.1:3128",
        ALL_PROXY: "http://10.0.0.1:3128",
        ARM_CLIENT_CERTIFICATE_PATH: "/own.pem",
        AZURE_CLIENT_SECRET: "own",
        PULUMI_CONFIG_PASSPHRASE: "own passphrase",
      }),
    );
    const variables = Object.fromEntries(stdout.split("\n").map((line) => line.split(/=(.*)/s)));
    expect(variables).toMatchObject({
      HTTPS_PROXY: expect.stringMatching(/^http:\/\/127\.0\.0\.1:/),
      NO_PROXY: "127.0.0.1,localhost",
      no_proxy: "127.0.0.1,localhost",
      ARM_TENANT_ID: "11111111-1111-4111-8111-111111111111",
      PULUMI_CONFIG_PASSPHRASE: "own passphrase",
      PULUMI_HOME: expect.stringContaining(temporaryFolder),
      AZURE_CORE_COLLECT_TELEMETRY: "no",
    });
    expect(stdout).not.toMatch(/10\.0\.0\.1|own\.pem|AZURE_CLIENT_SECRET/);
  });

  test("runs the setup of the project, here the Pulumi engine first on PATH, and creates the stack dev", async () => {
    writeFileSync(path.join(folder, "Pulumi.yaml"), "name: project\nruntime: nodejs\n");
    const { code, stdout } = await ended(emulator(["sh", "-c", "pulumi stack --show-name; ls Pulumi.*"]));
    expect([code, stdout]).toEqual([0, "dev\nPulumi.dev.yaml\nPulumi.yaml\n"]);
    expect(readdirSync(folder)).toEqual(["Pulumi.yaml"]);
  });

  test("keeps a stack's file that the command changed", async () => {
    writeFileSync(path.join(folder, "Pulumi.yaml"), "name: project\nruntime: nodejs\n");
    expect((await ended(emulator(["pulumi", "config", "set", "a", "b"]))).code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(["Pulumi.dev.yaml", "Pulumi.yaml"]);
  });

  test("runs by npx", async () => {
    const { code, stdout } = await ended(start([...byNpx, "sh", "-c", "echo $HTTPS_PROXY; exit 7"]));
    expect([code, stdout]).toEqual([7, expect.stringMatching(/^http:\/\/127\.0\.0\.1:/)]);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("forwards %s once, waits, and leaves nothing behind", async (signal) => {
    const script = "trap 'echo caught; exit 9' INT TERM; echo ready; while :; do sleep 0.05; done";
    const child = emulator(["sh", "-c", script]);
    const end = ended(child);
    await firstLine(child);
    child.kill(signal);
    expect(await end).toMatchObject({ code: 9, stdout: "ready\ncaught\n" });
    expect(temporary()).toEqual([]);
  });

  test("exits with 127 for an unknown command, and with 128 and the number of a signal", async () => {
    const missing = await ended(emulator(["no-such-command"]));
    expect([missing.code, missing.stderr]).toEqual([127, "no-such-command: command not found\n"]);
    expect((await ended(emulator(["sh", "-c", "kill -9 $$"]))).code).toBe(137);
  });
});

describe("when npm has ended", () => {
  test.each([
    ["npm", "SIGTERM", byNpm],
    ["npm", "SIGKILL", byNpm],
    ["npx", "SIGTERM", byNpx],
  ] as const)("%s by %s, the emulator ends and removes its folder", async (_, signal, command) => {
    const npm = start(command);
    const { control } = JSON.parse(await firstLine(npm));
    const end = ended(npm);
    npm.kill(signal);
    await end;
    await expect(fetch(`${control}/requests`)).rejects.toThrow();
    expect(temporary()).toEqual([]);
  });

  test.each([
    ["SIGTERM", "its child", "while :; do sleep 0.1; done"],
    ["SIGKILL", "its child, which ignores SIGTERM,", "trap '' TERM; while :; do sleep 0.1; done"],
  ] as const)("by %s, the command is asked to end, and %s ends with it", async (signal, _, child) => {
    const script = path.join(folder, "command.sh");
    writeFileSync(script, `trap 'echo asked; exit' TERM\n(${child}) &\necho ready\nwhile :; do sleep 0.1; done\n`);
    const npm = start([...byNpm, "sh", script]);
    const end = ended(npm);
    await firstLine(npm);
    npm.kill(signal);
    expect((await end).stdout).toContain("asked\n");
    expect(temporary()).toEqual([]);
  });

  test("before the emulator has started, the emulator ends too", async () => {
    const [held, release] = [path.join(folder, "held.cjs"), path.join(folder, "release")];
    writeFileSync(
      held,
      `const { existsSync, writeSync } = require("node:fs");
      if (process.argv[1]?.endsWith("bin.cjs") && require("node:worker_threads").isMainThread) {
        writeSync(1, "starting\\n");
        while (!existsSync(${JSON.stringify(release)}))
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      }`,
    );
    const npm = start(byNpm, { NODE_OPTIONS: `--require ${held}` });
    const end = ended(npm);
    expect(await firstLine(npm)).toBe("starting");
    const gone = new Promise((resolve) => npm.once("exit", resolve));
    npm.kill("SIGTERM");
    await gone;
    writeFileSync(release, "");
    await end;
    expect(temporary()).toEqual([]);
  });
});

test.each<[string, readonly string[]]>([
  ["npm", byNpm],
  ["node", byNode],
])("started by %s in the background, the emulator outlives the shell", async (_, command) => {
  const shell = start(["sh", "-c", '"$@" & echo $!; wait', "sh", ...command]);
  const lines: string[] = [];
  shell.stdout?.setEncoding("utf8").on("data", (text: string) => lines.push(...text.trim().split("\n")));
  const end = ended(shell);
  await until(() => lines.length === 2);
  shell.kill("SIGKILL");
  // Several of its looks at the starter; a slow machine makes this test pass, never fail.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const { control } = JSON.parse(lines[1] ?? "");
  expect(await (await fetch(`${control}/requests`)).json()).toEqual([]);
  process.kill(Number(lines[0]), "SIGTERM");
  await end;
  expect(temporary()).toEqual([]);
});
