/** Jest global setup: builds crane and registry. */
import { toolsFolder } from "../../../scripts/tools/tools";

/** Sets the variables that `describeWithTools` reads. */
export default async function buildTools(): Promise<void> {
  const tools = await toolsFolder();
  if (tools.folder !== undefined) process.env.TEST_TOOLS = tools.folder;
  else process.env.TEST_TOOLS_MISSING = tools.reason;
}
