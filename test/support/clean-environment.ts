/** Runs before each test file: no test may depend on the machine's proxies, certificates or accounts. */
import { ambientVariables } from "./environment";

for (const name of ambientVariables(process.env)) delete process.env[name];
