/** `npm run -s engine`: prints the folder with the Pulumi engine, after setting it up where it is missing. */
import { endTogether } from "../process";
import { printStatus } from "../progress";
import { engineFolder } from "./engine";

endTogether();
engineFolder().then(
  (folder) => process.stdout.write(`${folder}\n`),
  (error: unknown) => {
    printStatus(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  },
);
