/** Prints measurements as one Markdown page. */
import type { Point } from "./statistics";

/** One measurement: its method, its figures, and the goals that they are compared with. */
export interface Section {
  readonly title: string;
  /** How it was measured, in sentences. */
  readonly method: string;
  readonly tables: readonly Table[];
  readonly goals?: readonly Goal[];
  /** Lines of the chart. */
  readonly series?: readonly Series[];
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

export type Row = readonly (string | number)[];

/** A figure that must not exceed a limit; nothing fails where it does, the page says it. */
export interface Goal {
  readonly measure: string;
  readonly atMost: number;
  readonly measured: number;
  /** Such as `ms`. @default none */
  readonly unit?: string;
}

/** Milliseconds over numbers of images. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

/** Prints sections as one page, the goals of all of them first. */
export function markdown(title: string, preface: string, sections: readonly Section[]): string {
  const goals = sections.flatMap((section) => section.goals ?? []);
  const parts = [
    ...(goals.length > 0 ? ["## Goals", printTable(goalTable(goals))] : []),
    ...sections.flatMap((section) => [`## ${section.title}`, section.method, ...section.tables.map(printTable)]),
  ];
  return `${[`# ${title}`, preface, ...parts].join("\n\n")}\n`;
}

function goalTable(goals: readonly Goal[]): Table {
  const rows = goals.map(({ measure, atMost, measured, unit = "" }): Row => {
    const print = (figure: number, digits: number) => `${figure.toFixed(digits)} ${unit}`.trimEnd();
    // One digit more than the limit has; what is shown decides.
    const digits = Number.isInteger(measured) ? 0 : 3;
    const isMet = Number(measured.toFixed(digits)) <= atMost;
    const limit = `≤ ${print(atMost, Number.isInteger(atMost) ? 0 : 2)}`;
    return [measure, limit, print(measured, digits), isMet ? "yes" : "**no**"];
  });
  return { columns: ["measure", "goal", "measured", "met"], rows };
}

/** Prints a table; figures are aligned to the right, so that they are easy to compare. */
function printTable({ columns, rows }: Table): string {
  const cells = [columns, ...rows].map((row) => row.map(String));
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const isFigure = columns.map((_, column) => rows.every((row) => /^$|^[<≤]?\s?-?[\d.,]/.test(String(row[column]))));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => (isFigure[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, at) => `${"-".repeat(width - 1)}${isFigure[at] ? ":" : "-"}`);
  const [head = [], ...body] = cells;
  return [line(head), line(rule), ...body.map(line)].join("\n");
}
