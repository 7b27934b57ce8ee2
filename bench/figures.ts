/** Figures as the page prints them. */

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

/** A ratio; `undefined` is one that the system does not report. */
export function factor(ratio: number | undefined): string {
  return ratio === undefined ? "not available" : ratio.toFixed(2);
}

export function range(ratios: readonly number[]): string {
  return `${factor(Math.min(...ratios))} – ${factor(Math.max(...ratios))}`;
}

/** With separators: 12,345. */
export function whole(figure: number): string {
  return Math.round(figure).toLocaleString("en");
}
