import { toolsFolder } from "../../../scripts/tools/tools";

/** Tells the tests where the tools are, or why there are none; see `requireTools`. */
export default async function buildTools(): Promise<void> {
  const tools = await toolsFolder();
  if (tools.folder !== undefined) process.env.TEST_TOOLS = tools.folder;
  else process.env.TEST_TOOLS_MISSING = tools.reason;
}
