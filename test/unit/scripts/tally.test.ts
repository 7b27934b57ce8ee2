/** Counting the results of Jest. */
import { closingLine, type JestReport, type JestRun, sum, tallyJest } from "../../../scripts/tally";

type File = JestReport["testResults"][number];

function file(
  tests: Record<string, File["assertionResults"][number]["status"]>,
  status: File["status"] = "passed",
): File {
  const assertionResults = Object.entries(tests).map(([fullName, result]) => ({ fullName, status: result }));
  return { name: "some.test.ts", message: "", status, assertionResults };
}

function tally(files: File[], rest: Partial<JestRun> = {}) {
  return tallyJest({ name: "unit tests", exitCode: 0, report: { testResults: files }, output: "", ...rest });
}

describe("counting", () => {
  test("adds passed, failed and skipped tests of all files", () => {
    const files = [
      file({ a: "passed", b: "failed" }, "failed"),
      file({ c: "passed", "d (skipped: no Go)": "pending", e: "todo" }),
    ];
    expect(tally(files, { exitCode: 1 })).toEqual({ passed: 2, failures: ["b"], skipped: ["d (skipped: no Go)", "e"] });
  });

  test.each<[string, File[], Partial<JestRun>, string]>([
    ["a file that cannot be loaded", [file({}, "failed")], { exitCode: 1 }, "some.test.ts could not be run"],
    [
      "a file that fails after its tests passed",
      [file({ a: "passed" }, "failed")],
      { exitCode: 1 },
      "some.test.ts could not be run",
    ],
    ["a run without a report", [], { report: undefined, exitCode: null }, "unit tests ended with exit code null"],
    ["a run without a report that succeeds", [], { report: undefined }, "unit tests gave no report"],
    ["a failed run of passed tests", [file({ a: "passed" })], { exitCode: 1 }, "unit tests ended with exit code 1"],
    [
      "a process that does not end",
      [file({ a: "passed" })],
      { output: "\nJest did not exit one second after the test run has completed.\n" },
      "unit tests left something running",
    ],
  ])("%s is a failure", (_, files, rest, failure) => {
    expect(tally(files, rest).failures).toEqual([failure]);
  });

  test("does not count tests that a filter by name excluded as skipped", () => {
    const files = [file({ "S1 works": "passed", "S2 works": "pending" })];
    expect(tally(files, { only: /S1/ })).toEqual({ passed: 1, failures: [], skipped: [] });
    expect(tally(files, { only: /S2/ }).skipped).toEqual(["S2 works"]);
  });

  test("the closing line", () => {
    const all = sum([tally([file({ a: "passed" })]), { passed: 1, failures: ["lint"], skipped: [] }]);
    expect(closingLine(all)).toBe("2 passed, 1 failed");
    expect(closingLine({ ...all, skipped: ["x"] })).toBe("2 passed, 1 failed, 1 skipped");
  });
});
