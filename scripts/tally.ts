/** Counts passed, failed and skipped tests. */

/** The result of a step of `npm test`. A check counts as one, a test suite as its tests. */
export interface Tally {
  passed: number;
  /** One entry per failed test or check. */
  failures: string[];
  /** One entry per skipped test; its reason is part of the name. */
  skipped: string[];
}

/** The part of Jest's JSON report that is needed here. */
export interface JestReport {
  testResults: {
    name: string;
    status: "passed" | "failed" | "skipped" | "pending" | "focused";
    message: string;
    assertionResults: {
      fullName: string;
      status: "passed" | "failed" | "skipped" | "pending" | "todo" | "disabled" | "focused";
    }[];
  }[];
}

export interface JestRun {
  /** Its name in the list of failures. */
  name: string;
  exitCode: number | null;
  /** Absent when Jest wrote no report. */
  report: JestReport | undefined;
  output: string;
  /** The names of the requested tests; the others count neither as passed nor as skipped. */
  only?: RegExp | undefined;
}

/** Not Jest's message about a worker that did not end: it gives a worker half a second, which a busy machine may not have. */
const LEAK = "Jest did not exit one second after the test run has completed";

/** Counts a run of Jest. A failure is a failed test, a file that cannot be loaded, a crash, or a process that does not end. */
export function tallyJest({ name, exitCode, report, output, only }: JestRun): Tally {
  const tally: Tally = { passed: 0, failures: [], skipped: [] };
  for (const file of report?.testResults ?? []) {
    const failuresBefore = tally.failures.length;
    for (const { fullName, status } of file.assertionResults) {
      if (status === "passed") tally.passed += 1;
      else if (status === "failed") tally.failures.push(fullName);
      else if (only === undefined || only.test(fullName)) tally.skipped.push(fullName);
    }
    if (file.status === "failed" && tally.failures.length === failuresBefore) {
      tally.failures.push(`${file.name} could not be run`);
    }
  }
  if (output.includes(LEAK)) tally.failures.push(`${name} left something running`);
  if (exitCode !== 0 && tally.failures.length === 0) tally.failures.push(`${name} ended with exit code ${exitCode}`);
  if (report === undefined && tally.failures.length === 0) tally.failures.push(`${name} gave no report`);
  return tally;
}

export function sum(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((total, { passed }) => total + passed, 0),
    failures: tallies.flatMap(({ failures }) => failures),
    skipped: tallies.flatMap(({ skipped }) => skipped),
  };
}

/** The last line of `npm test`. */
export function closingLine({ passed, failures, skipped }: Tally): string {
  const line = `${passed} passed, ${failures.length} failed`;
  return skipped.length === 0 ? line : `${line}, ${skipped.length} skipped`;
}
