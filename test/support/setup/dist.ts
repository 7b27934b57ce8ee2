/** Jest global setup: builds dist/, which the plugin and engine tests run. */
import path from "node:path";
import { bootstrap } from "../../../scripts/bootstrap.cjs";

/** Builds dist/ when it is stale. */
export default async function buildDist(): Promise<void> {
  await bootstrap(path.join(__dirname, "../../.."), []);
}
