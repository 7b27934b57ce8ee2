import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { descendants, start } from "../../scripts/process";

const checkout = path.join(__dirname, "../..");

describe("npm run demo", () => {
  let temporary: string;
  beforeEach(() => {
    temporary = mkdtempSync(path.join(tmpdir(), "demo-test-"));
  });
  afterEach(() => rmSync(temporary, { recursive: true, force: true }));

  function demo() {
    const env = {
      ...process.env,
      PATH: `${process.env.TEST_ENGINE}${path.delimiter}${process.env.PATH}`,
      TMPDIR: temporary,
    };
    return start(process.execPath, ["--import", "tsx", path.join(checkout, "scripts/demo.ts")], { cwd: checkout, env });
  }

  const left = () => readdirSync(temporary).filter((name) => !name.startsWith("tsx-"));

  test("tells the life of an image and leaves nothing behind", async () => {
    const { exitCode, stdout, stderr } = await demo().finished;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(
      /\+ 2 created.*2 unchanged.*sourceDigest: "sha256:\w{64}" => "sha256:\w{64}".*~ 1 updated.*- 2 deleted/s,
    );
    expect(left()).toEqual([]);
  });

  test("Ctrl-C in the midst of an import ends everything and leaves nothing behind", async () => {
    const running = demo();
    await running.line(/ImportedImage hello creating/, 60_000);
    const below = descendants(running.pid);
    expect(below.length).toBeGreaterThan(2);
    running.signal("SIGINT");
    expect((await running.finished).exitCode).toBe(130);
    // What was killed takes a moment to be gone.
    for (let tries = 0; tries < 50 && below.some(isRunning); tries++) await sleep(100);
    expect(below.filter(isRunning)).toEqual([]);
    expect(left()).toEqual([]);
  });
});

/** Alive, and not just a dead process that nobody has buried yet. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
