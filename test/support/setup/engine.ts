/** Jest global setup: builds dist/ and the tools, and finds the engine. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { engineFolder } from "../../../scripts/engine/engine";
import buildDist from "./dist";
import buildTools from "./tools";

export default async function prepareEngine(): Promise<void> {
  await buildDist();
  await buildTools();
  process.env.TEST_ENGINE = await engineFolder();
  process.env.REFUSED_WAYS = path.join(mkdtempSync(path.join(tmpdir(), "refused-ways-")), "list");
}
