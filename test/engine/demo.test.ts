/** The demo, as a new user runs it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { descendants, start } from "../../scripts/process";

/** Far more than the demo takes, for a busy machine. */
const LONG = 400_000;

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

  test(
    "takes an image through its life and leaves no files behind",
    async () => {
      const { exitCode, stdout, stderr } = await demo().finished;
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).toMatch(
        /1\. The first up.*\+ 2 created.*2 unchanged.*sourceDigest: "sha256:\w{64}" => "sha256:\w{64}".*~ 1 updated.*- 2 deleted/s,
      );
      expect(left()).toEqual([]);
    },
    LONG,
  );

  test(
    "Ctrl-C during an import ends all processes and leaves no files behind",
    async () => {
      const running = demo();
      await running.line(/ImportedImage hello creating/, LONG);
      const below = descendants(running.pid);
      expect(below.length).toBeGreaterThan(2);
      running.signal("SIGINT");
      expect((await running.finished).exitCode).toBe(130);
      // A killed process takes a moment to end.
      while (below.some(isRunning)) await sleep(100);
      expect(left()).toEqual([]);
    },
    LONG,
  );
});

/** Whether a process is alive, and not a zombie whose parent has yet to read its exit code. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
