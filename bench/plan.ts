/** What a run of the bench measures. */

export interface Plan {
  /** Numbers of images. */
  readonly counts: readonly number[];
  /** Numbers of tags of a mirror. */
  readonly tags: readonly number[];
  /** Latencies of the source, in milliseconds. */
  readonly latencies: readonly number[];
  /** Whether new connections take time, too. */
  readonly connecting: boolean;
  /** How often each command is run. */
  readonly rounds: number;
}

/** Everything that the page has; rounds of 1,000 images are slow, and vary less than those of few. */
export const fullPlan: Plan = {
  counts: [1, 10, 100, 1000],
  tags: [10, 100, 1000, 5000],
  latencies: [0, 150],
  connecting: false,
  rounds: 5,
};

export const quickPlan: Plan = { ...fullPlan, counts: [1, 10], tags: [10], rounds: 2 };

export function roundsOf({ rounds }: Plan, count: number): number {
  return count < 1000 ? rounds : Math.min(rounds, 4);
}

/** Mirrors are one resource, and vary less than many. */
export function mirrorRoundsOf({ rounds }: Plan, count: number): number {
  return Math.min(rounds, count < 1000 ? 3 : 2);
}
