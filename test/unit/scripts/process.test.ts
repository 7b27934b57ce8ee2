/** Tests that scripts end with the npm that started them, whatever ended it. */
import { spawn } from "node:child_process";
import path from "node:path";

const processModule = path.join(__dirname, "../../../scripts/process.ts");
const forEver = "setInterval(() => {}, 1_000);";

const script = `
  require("tsx/cjs");
  const { endTogether } = require(${JSON.stringify(processModule)});
  endTogether(() => console.log("cleaned up"));
  console.log("arguments:", ...process.argv.slice(1));
  ${forEver}
`;
/** Starts the script as npm does: in a shell, on its own standard streams. */
const npm = `
  require("node:child_process").spawn("sh", ["-c", 'node -e "$SCRIPT" -- --pid=$PPID words; :'], { stdio: "inherit" });
  ${forEver}
`;

test.each(["SIGTERM", "SIGKILL"] as const)("a script cleans up and ends when npm is ended by %s", async (signal) => {
  const started = spawn(process.execPath, ["-e", npm], {
    env: { ...process.env, SCRIPT: script },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  started.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (text.includes("arguments:")) started.kill(signal);
  });
  // The script holds the pipe too: it closes when the script has ended.
  await new Promise((resolve) => started.stdout.once("close", resolve));
  expect(output).toBe("arguments: words\ncleaned up\n");
});
