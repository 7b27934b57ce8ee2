/** The middle of the values; of an even number of values, halfway between the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new RangeError("no value has no median");
  return (low + high) / 2;
}

/** What two contestants took in the same round, divided: what slows the machine down for a while slows both. */
export function pairedRatios(values: readonly number[], measures: readonly number[]): number[] {
  return values.map((value, round) => value / (measures[round] ?? Number.NaN));
}
