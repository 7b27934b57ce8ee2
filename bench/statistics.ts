/** Statistics over the rounds of a measurement. */

/** The median; of an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new RangeError("the median of no values is undefined");
  return (low + high) / 2;
}

/** The ratio in each round: what slows the machine down for a while slows both commands. */
export function pairedRatios(values: readonly number[], baselines: readonly number[]): number[] {
  return values.map((value, round) => value / (baselines[round] ?? Number.NaN));
}

/** The difference in each round. */
export function pairedDifferences(values: readonly number[], baselines: readonly number[]): number[] {
  return values.map((value, round) => value - (baselines[round] ?? Number.NaN));
}

export type Point = readonly [x: number, y: number];

/** A straight line: `y = base + slope · x`. */
export interface Line {
  readonly base: number;
  readonly slope: number;
}

/** The line with the least squares of vertical distances to the points. */
export function fitLine(points: readonly Point[]): Line {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middleX, middleY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const covariance = mean(points.map(([x, y]) => (x - middleX) * (y - middleY)));
  const variance = mean(points.map(([x]) => (x - middleX) ** 2));
  if (!(variance > 0)) throw new RangeError("a line needs points with two different x");
  const slope = covariance / variance;
  return { base: middleY - slope * middleX, slope };
}

/** The slopes between neighbours, from the smallest x to the largest. */
export function slopes(points: readonly Point[]): { from: number; to: number; slope: number }[] {
  const sorted = [...points].sort(([one], [other]) => one - other);
  return sorted.slice(1).map(([to, y], index) => {
    const [from, before] = sorted[index] as Point;
    return { from, to, slope: (y - before) / (to - from) };
  });
}
