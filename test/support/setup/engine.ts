import { engineFolder } from "../../../scripts/engine/engine";
import buildDist from "./dist";
import buildTools from "./tools";

export default async function prepareEngine(): Promise<void> {
  await buildDist();
  await buildTools();
  process.env.TEST_ENGINE = await engineFolder();
}
