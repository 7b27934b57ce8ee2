/** Prints measurements as one Markdown page. */

/** One measurement: its method and its figures. */
export interface Section {
  readonly title: string;
  /** How it was measured, in sentences. */
  readonly method: string;
  readonly tables: readonly Table[];
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Prints sections as one page; figures are aligned to the right, so that they are easy to compare. */
export function markdown(title: string, preface: string, sections: readonly Section[]): string {
  const parts = sections.flatMap((section) => [
    `## ${section.title}`,
    section.method,
    ...section.tables.map(printTable),
  ]);
  return `${[`# ${title}`, preface, ...parts].join("\n\n")}\n`;
}

function printTable({ columns, rows }: Table): string {
  const cells = [columns, ...rows].map((row) => row.map(String));
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const isFigure = columns.map((_, column) => rows.every((row) => /^[<≤]?\s?-?[\d.,]/.test(String(row[column]))));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => (isFigure[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, at) => `${"-".repeat(width - 1)}${isFigure[at] ? ":" : "-"}`);
  const [head = [], ...body] = cells;
  return [line(head), line(rule), ...body.map(line)].join("\n");
}
