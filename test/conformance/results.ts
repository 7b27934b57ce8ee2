/** The page RESULTS.md: rows recorded by the tests, printed as tables. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { markdown } from "../../bench/report";

/** The tables of the page, in order. */
const sections = {
  commands: {
    title: "Every command of the import articles",
    method: [
      "The Azure CLI runs each command line of Microsoft's articles on importing images into its own registry, and a Pulumi program declares the",
      "same import as an `ImportedImage` in another registry. Then crane reads both: the manifest of each target, every manifest below it, and",
      "the tags. Equal means byte for byte, and the digest is that of the source. Each figure is the exit code and the time of the whole",
      "command; `pulumi up` also checks the images of the rows above.",
    ].join("\n"),
    columns: ["#", "scenario", "Azure CLI", "exit, time", "`ImportedImage`", "exit, time", "manifests", "equal"],
  },
  differences: {
    title: "Where `ImportedImage` differs on purpose",
    method: "Both were run, as above.",
    columns: ["situation", "Azure CLI", "`ImportedImage`"],
  },
  copies: {
    title: "Copies of a signed image",
    method: [
      "The source is an index of two platforms with 8.4 MB of layers. Three manifests refer to the index: a Sigstore bundle by the real cosign, an",
      "attestation by cosign, a Notation signature; two to its images, a bundle each; one to a referrer, a bundle that signs the attestation. The",
      "tags `.sig` and `.att` hold cosign's older forms. One source has the referrers API; the other one is CNCF distribution, which has none, so that",
      "referrers are listed under tags `sha256-…`. Each command copies it to a repository of its own in an Azure registry, which has the API. Then",
      "`oras discover`, crane and `cosign verify` with the public key tell what is there. Requests and bytes are those of the whole command, to all hosts,",
      "in both directions, as the emulator logs them; headers are not counted. `az` signs in too, and `ImportedImage` is one `pulumi up`: for both, Azure",
      "copies the content.",
    ].join("\n"),
    columns: [
      "source",
      "command",
      "index (3)",
      "children (2)",
      "nested (1)",
      "`.sig` `.att`",
      "`cosign verify` accepts",
      "requests",
      "bytes through the client",
      "of these, blobs",
    ],
  },
  sdk: {
    title: "Python SDK",
    method: "The requests that `begin_import_image` sends and the responses it gets, as its pipeline records them.",
    columns: ["request", "response"],
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

/** Adds a row to a table. Tests call it before they assert, so that a failed comparison is on the page too. */
export function recordRow(section: SectionName, ...cells: readonly string[]): void {
  const { CONFORMANCE_RESULTS: file } = process.env;
  if (file === undefined) throw new Error("CONFORMANCE_RESULTS is not set: run these tests with `npm run conformance`");
  const row: Row = { section, cells: cells.map((cell) => cell.replace(/\s+/g, " ").replaceAll("|", "\\|")) };
  appendFileSync(file, `${JSON.stringify(row)}\n`);
}

/** All recorded rows, as one Markdown page. */
export function resultPage(file: string, preface: string): string {
  const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  const rows = lines.filter((line) => line !== "").map((line): Row => JSON.parse(line));
  const names = Object.keys(sections) as SectionName[];
  const filled = names.filter((name) => rows.some(({ section }) => section === name));
  return markdown(
    "Conformance",
    preface,
    filled.map((name) => {
      const { title, method, columns } = sections[name];
      const cells = rows.filter(({ section }) => section === name).map(({ cells }) => cells);
      return { title, method, tables: [{ columns, rows: cells }] };
    }),
  );
}

export function exitAndTime(exitCode: number | null, seconds: number): string {
  return `${exitCode}, ${seconds.toFixed(1)} s`;
}
