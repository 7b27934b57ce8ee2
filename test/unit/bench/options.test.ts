/** The command line of the bench. */
import { MEASUREMENTS, parseOptions, USAGE } from "../../../bench/options";

test("without options everything is measured and the page is written", () => {
  expect(parseOptions([])).toMatchObject({
    plan: { counts: [1, 10, 100, 1000], latencies: [0, 150] },
    only: MEASUREMENTS,
    isComplete: true,
  });
});

test("an option changes its figure only, and the page is not written", () => {
  expect(parseOptions(["--images", "5,7", "--rounds", "3"])).toMatchObject({
    plan: { counts: [5, 7], latencies: [0, 150], rounds: 3 },
    isComplete: false,
  });
});

test("--quick measures few images, and leaves out what takes minutes", () => {
  const { plan, only } = parseOptions(["--quick"]);
  expect(plan).toMatchObject({ counts: [1, 10], rounds: 2 });
  expect(only).not.toContain("peers");
});

test.each([
  [["--images", "ten"], "not a list of numbers: ten"],
  [["--images", "0"], "not a list of numbers: 0"],
  [["--only", "no-oop"], "not a measurement: no-oop"],
  [["--unknown"], "Unknown option"],
  [["up"], "Unexpected argument"],
])("%j is refused", (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});

test("the usage names every option and every measurement", () => {
  for (const name of MEASUREMENTS) expect(USAGE).toContain(name);
  for (const option of ["quick", "only", "images", "latency", "connecting", "rounds", "against", "budgets"]) {
    expect(USAGE).toContain(`--${option} `);
  }
});
