import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { markdown } from "../../bench/report";

/** Tables of the result, in their order. */
const sections = {
  commands: {
    title: "Every command of the import articles",
    method: [
      "Each command line of Microsoft's articles on importing images is run by the Azure CLI into a registry of its own, and the same import is",
      "declared as an `ImportedImage` in another one. Then crane reads both: the manifest behind each target, every manifest below it, and the",
      "tags. Equal means: byte for byte, and the digest is the source's. Each figure is exit code and time of the whole command; `pulumi up`",
      "looks at all the images of the rows above, too.",
    ].join("\n"),
    columns: ["#", "scenario", "Azure CLI", "exit, time", "`ImportedImage`", "exit, time", "manifests", "equal"],
  },
  better: {
    title: "Where `ImportedImage` does better on purpose",
    method: "Runs of both, as above.",
    columns: ["situation", "Azure CLI", "`ImportedImage`"],
  },
  sdk: {
    title: "Python SDK",
    method: "What `begin_import_image` sends and gets, as its own pipeline sees it.",
    columns: ["request", "answer"],
  },
  clients: {
    title: "Registry clients",
    method: "Against Docker Hub, Microsoft's registry and Azure registries of the emulator, through its proxy.",
    columns: ["client", "command", "result"],
  },
} as const;

type SectionName = keyof typeof sections;

interface Row {
  readonly section: SectionName;
  readonly cells: readonly string[];
}

/** Notes a row of a table, also of one that a test is about to judge as wrong. */
export function note(section: SectionName, ...cells: readonly string[]): void {
  const { JUDGES_RESULTS: file } = process.env;
  if (file === undefined) throw new Error("JUDGES_RESULTS is not set: judges are run by `npm run judges`");
  const row: Row = { section, cells: cells.map((cell) => cell.replace(/\s+/g, " ").replaceAll("|", "\\|")) };
  appendFileSync(file, `${JSON.stringify(row)}\n`);
}

/** All rows that were noted, as one page. */
export function resultPage(file: string, preface: string): string {
  const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  const noted = lines.filter((line) => line !== "").map((line): Row => JSON.parse(line));
  const names = Object.keys(sections) as SectionName[];
  const filled = names.filter((name) => noted.some(({ section }) => section === name));
  return markdown(
    "Judges",
    preface,
    filled.map((name) => {
      const { title, method, columns } = sections[name];
      const rows = noted.filter(({ section }) => section === name).map(({ cells }) => cells);
      return { title, method, tables: [{ columns, rows }] };
    }),
  );
}

export function exitAndTime(exitCode: number | null, seconds: number): string {
  return `${exitCode}, ${seconds.toFixed(1)} s`;
}
