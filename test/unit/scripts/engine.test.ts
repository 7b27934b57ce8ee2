/** Finding, downloading and caching the Pulumi engine. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { cached } from "../../../scripts/cache";
import { downloadEngine } from "../../../scripts/engine/download";
import { installedEngine } from "../../../scripts/engine/installed";
import { run, runOrFail } from "../../../scripts/process";
import { shortenWaits } from "../../support/short-waits";

const checkout = path.join(__dirname, "../../..");
const programs = ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "engine-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function install(into: string, version: string, names = programs): string {
  mkdirSync(into, { recursive: true });
  for (const name of names) {
    writeFileSync(path.join(into, name), `#!/bin/sh\necho v${version}\n`);
    chmodSync(path.join(into, name), 0o755);
  }
  return into;
}

describe("the engine on PATH", () => {
  test("is used when its other programs are beside it, also behind a link", async () => {
    const real = install(path.join(folder, "real"), "3.259.0");
    mkdirSync(path.join(folder, "bin"));
    symlinkSync(path.join(real, "pulumi"), path.join(folder, "bin/pulumi"));
    expect(await installedEngine(["/nowhere", path.join(folder, "bin")].join(path.delimiter))).toEqual({
      folder: real,
    });
  });

  test.each([
    ["is absent", [], "3.259.0", "there is no pulumi on PATH"],
    ["has no language host", ["pulumi"], "3.259.0", "pulumi-language-nodejs is missing beside"],
    ["is too old", programs, "3.99.0", "older than v3.250.0"],
  ])("is not used when it %s", async (_, names, version, reason) => {
    const found = await installedEngine(install(folder, version, names));
    expect(found).toEqual({ folder: undefined, reason: expect.stringContaining(reason) });
  });
});

describe("the official download", () => {
  let server: Server;
  let files: Record<string, Buffer | "hang">;
  let url: string;
  const archive = `pulumi-v1.2.3-${process.platform}-${process.arch}.tar.gz`;

  beforeEach(async () => {
    files = {};
    server = createServer((request, response) => {
      const content = files[request.url?.slice(1) ?? ""];
      if (content !== "hang") response.writeHead(content === undefined ? 404 : 200).end(content);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function publish(): Promise<void> {
    const source = path.join(folder, "source");
    install(path.join(source, "pulumi"), "1.2.3");
    await runOrFail("tar", ["-czf", path.join(folder, "archive"), "-C", source, "pulumi"]);
    const content = readFileSync(path.join(folder, "archive"));
    const checksum = createHash("sha256").update(content).digest("hex");
    files[archive] = content;
    files["pulumi-1.2.3-checksums.txt"] = Buffer.from(`${"0".repeat(64)}  other.tar.gz\n${checksum}  ${archive}\n`);
  }

  function target(): string {
    const made = path.join(folder, "target");
    mkdirSync(made);
    return made;
  }

  test("is unpacked when its checksum matches", async () => {
    await publish();
    const into = target();
    await downloadEngine("1.2.3", into, url);
    expect(readdirSync(into).sort()).toEqual(programs);
  });

  test("is rejected when its checksum differs", async () => {
    await publish();
    files[archive] = Buffer.from("something else");
    await expect(downloadEngine("1.2.3", target(), url)).rejects.toThrow(/has the checksum .*, expected/);
  });

  test("is rejected when no checksum is published", async () => {
    await publish();
    files["pulumi-1.2.3-checksums.txt"] = Buffer.from("");
    await expect(downloadEngine("1.2.3", target(), url)).rejects.toThrow(`no SHA-256 of ${archive} is published`);
  });

  test("fails when the site does not respond", async () => {
    files["pulumi-1.2.3-checksums.txt"] = "hang";
    const waits = shortenWaits();
    await expect(downloadEngine("1.2.3", target(), url)).rejects.toThrow();
    expect(waits).toContain(5_000);
  });
});

describe("npm run -s engine", () => {
  test("names what is missing without an engine, internet access and Go", async () => {
    const env = {
      PATH: path.dirname(process.execPath),
      HOME: folder,
      HTTPS_PROXY: "http://127.0.0.1:9",
    };
    const args = ["--import", "tsx", path.join(checkout, "scripts/engine/main.ts")];
    const { exitCode, stdout, stderr } = await run(process.execPath, args, { cwd: checkout, env });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(
      /there is no pulumi on PATH.*official release could not be downloaded.*Go 1\.26\.6 or newer is needed/s,
    );
    expect(readdirSync(path.join(folder, ".cache/pulumi-acr-import"))).toEqual([]);
  });
});

describe("the cache", () => {
  beforeEach(() => {
    process.env.XDG_CACHE_HOME = folder;
  });
  afterEach(() => {
    delete process.env.XDG_CACHE_HOME;
  });

  test("one of two concurrent processes makes a folder", async () => {
    const make = jest.fn(async (into: string) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      writeFileSync(path.join(into, "file"), "made");
    });
    const [first, second] = await Promise.all([cached("thing", make), cached("thing", make)]);
    expect(first).toBe(second);
    expect(readFileSync(path.join(first, "file"), "utf8")).toBe("made");
    expect(make).toHaveBeenCalledTimes(1);
  });

  test("keeps nothing of a failed attempt, and removes what a killed process left", async () => {
    const root = path.join(folder, "pulumi-acr-import");
    mkdirSync(path.join(root, "thing.unfinished-x"), { recursive: true });
    const fails = async () => {
      throw new Error("no such luck");
    };
    await expect(cached("thing", fails)).rejects.toThrow("no such luck");
    expect(readdirSync(root)).toEqual([]);
    expect(existsSync(await cached("thing", async () => {}))).toBe(true);
  });
});
