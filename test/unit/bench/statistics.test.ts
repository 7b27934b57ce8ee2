/** Statistics of the bench. */
import { fitLine, median, pairedDifferences, pairedRatios, slopes } from "../../../bench/statistics";

test.each([
  [[3], 3],
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
])("the median of %j is %d", (values, expected) => {
  expect(median(values)).toBe(expected);
});

test("the median of no values is an error, not a figure", () => {
  expect(() => median([])).toThrow(RangeError);
});

test("ratios and differences compare the values of the same round", () => {
  expect(pairedRatios([2, 9], [1, 3])).toEqual([2, 3]);
  expect(pairedDifferences([2, 9], [1, 3])).toEqual([1, 6]);
});

test("a round without a baseline has no ratio", () => {
  expect(pairedRatios([2, 9], [1])[1]).toBeNaN();
});

test("the fitted line goes through points that are on one", () => {
  const { base, slope } = fitLine([
    [1, 5],
    [10, 23],
    [100, 203],
  ]);
  expect(slope).toBeCloseTo(2);
  expect(base).toBeCloseTo(3);
});

test("the fitted line has the least squares of distances", () => {
  // By hand: mean (2, 3); covariance 3 / 3, variance 2 / 3.
  expect(
    fitLine([
      [1, 1],
      [2, 4],
      [3, 4],
    ]),
  ).toEqual({ base: 0, slope: 1.5 });
});

test("points with a single x have no line", () => {
  expect(() => fitLine([[1, 5]])).toThrow(RangeError);
});

test("slopes are those between neighbours, whatever the order of the points", () => {
  expect(
    slopes([
      [100, 60],
      [1, 6],
      [10, 15],
    ]),
  ).toEqual([
    { from: 1, to: 10, slope: 1 },
    { from: 10, to: 100, slope: 0.5 },
  ]);
});
