/** Jest global teardown: the number of refused ways in the scenarios. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";

/** Prints how many operations the scenarios saw fail as they must; each test has recorded its own. */
export default function printRefusedWays(): void {
  const { REFUSED_WAYS: file = "" } = process.env;
  const counts = new Map<string, number>();
  for (const line of existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []) {
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const parts = [...counts].sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true }));
  if (total > 0) {
    process.stdout.write(`wrong ways refused: ${total} (${parts.map(([id, count]) => `${id} ${count}`).join(", ")})\n`);
  }
  if (file !== "") rmSync(path.dirname(file), { recursive: true, force: true });
}
