import path from "node:path";
import { bootstrap } from "../../../scripts/bootstrap.cjs";

/** Tests of what users run must not see an old build. */
export default async function buildDist(): Promise<void> {
  await bootstrap(path.join(__dirname, "../../.."), []);
}
