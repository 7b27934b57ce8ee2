/** The command `npm test`. */
import path from "node:path";
import { describeNode } from "../../../scripts/node-versions.cjs";
import { run } from "../../../scripts/process";

const checkout = path.join(__dirname, "../../..");

function npmTest(...words: string[]) {
  const args = ["--import", "tsx", path.join(checkout, "scripts/test.ts"), ...words];
  return run(process.execPath, args, { cwd: checkout });
}

describe("npm test", () => {
  test("-- WORDS runs the files that match, lists each test and counts them", async () => {
    const { exitCode, stdout } = await npmTest("scripts/tally");
    expect(stdout.split("\n")[0]).toBe(describeNode(process.version));
    expect(stdout).toContain("✓ the closing line");
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^\d+ passed, 0 failed$/);
    expect(exitCode).toBe(0);
  });

  test("-- -t NAME runs the tests of that name", async () => {
    const { exitCode, stdout } = await npmTest("scripts/tally", "-t", "the closing line");
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("1 passed, 0 failed");
    expect(exitCode).toBe(0);
  });

  test("fails when nothing matches", async () => {
    const { exitCode, stdout } = await npmTest("scripts/tally", "-t", "no such test");
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("0 passed, 1 failed");
    expect(exitCode).toBe(1);
  });
});
