import { ambientVariables } from "./environment";

// Runs before each test file: no test may depend on the machine's proxies, certificates or accounts.
for (const name of ambientVariables(process.env)) delete process.env[name];
