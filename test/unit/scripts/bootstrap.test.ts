/** The bootstrap of a checkout: what it installs, and when it builds. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { isInstalled } from "../../../scripts/bootstrap.cjs";
import { run, start } from "../../../scripts/process";

describe("isInstalled", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "bootstrap-"));
    write("package-lock.json", lock({ a: "1.0.0" }));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function write(file: string, content: unknown): void {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), typeof content === "string" ? content : JSON.stringify(content));
  }

  function lock(versions: Record<string, string>, more: Record<string, object> = {}) {
    const packages = Object.entries(versions).map(([name, version]) => [
      `node_modules/${name}`,
      { version, integrity: `sha512-${name}-${version}` },
    ]);
    return { packages: { "": { name: "root" }, ...Object.fromEntries(packages), ...more } };
  }

  test.each([
    ["nothing is installed", undefined, false],
    ["the locked version is installed", lock({ a: "1.0.0" }), true],
    ["an older version is installed", lock({ a: "0.9.0" }), false],
    ["a package is missing", lock({}), false],
    ["the list of installed packages is damaged", "{", false],
  ])("when %s", (_, installed, expected) => {
    if (installed !== undefined) write("node_modules/.package-lock.json", installed);
    expect(isInstalled(root)).toBe(expected);
  });

  test("does not require packages of other platforms", () => {
    write("package-lock.json", lock({ a: "1.0.0" }, { "node_modules/b": { version: "1.0.0", optional: true } }));
    write("node_modules/.package-lock.json", lock({ a: "1.0.0" }));
    expect(isInstalled(root)).toBe(true);
  });

  test("needs the link of a workspace", () => {
    const workspace = {
      tool: { name: "tool", version: "1.0.0" },
      "node_modules/tool": { resolved: "tool", link: true },
    };
    write("package-lock.json", lock({ a: "1.0.0" }, workspace));
    write("node_modules/.package-lock.json", lock({ a: "1.0.0" }));
    expect(isInstalled(root)).toBe(false);
    write("node_modules/.package-lock.json", lock({ a: "1.0.0" }, workspace));
    expect(isInstalled(root)).toBe(true);
  });

  test("fails on a damaged package-lock.json", () => {
    write("package-lock.json", "{");
    expect(() => isInstalled(root)).toThrow("package-lock.json is missing or damaged");
  });
});

describe("bootstrap of a checkout", () => {
  const checkout = path.join(__dirname, "../../..");
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "bootstrap-"));
    for (const name of [
      "package.json",
      "tsconfig.json",
      "tsconfig.build.json",
      "scripts/bootstrap.cjs",
      "scripts/lock.cjs",
      "scripts/node-versions.cjs",
    ]) {
      cpSync(path.join(checkout, name), path.join(root, name));
    }
    write("package-lock.json", JSON.stringify({ packages: {} }));
    write("node_modules/.package-lock.json", JSON.stringify({ packages: {} }));
    for (const name of ["typescript", "@types"]) {
      symlinkSync(path.join(checkout, "node_modules", name), path.join(root, "node_modules", name));
    }
    write("provider/index.ts", "export const answer: number = 42;\n");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const write = (file: string, content: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), content);
  };
  const read = (file: string) => readFileSync(path.join(root, file), "utf8");
  const bootstrap = (...options: string[]) =>
    run(process.execPath, [path.join(root, "scripts/bootstrap.cjs"), ...options]);

  test("builds dist/ once, and prints nothing the second time", async () => {
    const first = await bootstrap();
    expect(first).toMatchObject({ exitCode: 0, stdout: "", stderr: expect.stringContaining("building dist/") });
    expect(read("dist/index.js")).toContain("42");
    expect(await bootstrap()).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  });

  test("builds again when a source, the configuration or dist/ changed, and removes files of deleted sources", async () => {
    write("provider/old.ts", "export {};\n");
    await bootstrap();
    rmSync(path.join(root, "provider/old.ts"));
    const changes: [file: string, content: string][] = [
      ["provider/index.ts", "export const answer: number = 43;\n"],
      ["package.json", `${read("package.json")}\n`],
      ["dist/index.js", "tampered"],
    ];
    for (const [file, content] of changes) {
      write(file, content);
      expect((await bootstrap()).stderr).toContain("building dist/");
      expect(read("dist/index.js")).toContain("43");
    }
    expect(existsSync(path.join(root, "dist/old.js"))).toBe(false);
  });

  test("--no-build does not build dist/", async () => {
    expect(await bootstrap("--no-build")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(existsSync(path.join(root, "dist"))).toBe(false);
  });

  test("a failed build prints the compiler's output and keeps the previous dist/", async () => {
    await bootstrap();
    write("provider/index.ts", 'export const answer: number = "text";\n');
    const { exitCode, stderr } = await bootstrap();
    expect(exitCode).toBe(1);
    expect(stderr).toContain("provider/index.ts(1,14): error TS2322");
    expect(read("dist/index.js")).toContain("42");
    expect(existsSync(path.join(root, ".bootstrap.lock"))).toBe(false);
  });

  test("one of two concurrent processes builds, the other waits", async () => {
    const outputs = (await Promise.all([bootstrap(), bootstrap()])).map(({ stderr }) => stderr);
    expect(outputs.filter((text) => text.includes("building dist/"))).toHaveLength(1);
    expect(outputs.filter((text) => text.includes("waiting for another bootstrap"))).toHaveLength(1);
  });

  test("takes over the lock of a process that has died", async () => {
    const dead = start(process.execPath, ["--version"]);
    await dead.finished;
    write(".bootstrap.lock", JSON.stringify({ host: hostname(), pid: dead.pid }));
    expect(await bootstrap()).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("building dist/") });
  });

  test("a failed npm ci prints npm's output", async () => {
    rmSync(path.join(root, "node_modules/.package-lock.json"));
    write("package.json", JSON.stringify({ devEngines: { runtime: { name: "another", onFail: "error" } } }));
    const { exitCode, stderr } = await bootstrap("--no-build");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/installing dependencies .* failed:\n.*EBADDEVENGINES/s);
  });
});
