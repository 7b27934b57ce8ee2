import { endTogether } from "../process";
import { say } from "../progress";
import { engineFolder } from "./engine";

endTogether();
engineFolder().then(
  (folder) => process.stdout.write(`${folder}\n`),
  (error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  },
);
