// Four projects, from the fastest tests to those on the real Pulumi engine.
const common = {
  rootDir: __dirname,
  cacheDirectory: `${__dirname}/node_modules/.cache/jest`,
  testEnvironment: "node",
  transform: {
    "\\.[cm]?[jt]s$": [
      "@swc/jest",
      { swcrc: false, jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "commonjs" } },
    ],
  },
  // The Azure SDK and provider/signature/ require these ESM packages: Node can, Jest cannot, so they are compiled for it.
  transformIgnorePatterns: [
    "/node_modules/(?!(.+/)?(https?-proxy-agent|agent-base|proxy-agent-negotiate|cbor2|@cto.af)/)",
  ],
  modulePathIgnorePatterns: ["<rootDir>/dist/"],
  setupFiles: ["<rootDir>/test/support/clean-environment.ts"],
  restoreMocks: true,
};

const project = (displayName, folders, options = {}) => ({
  ...common,
  displayName,
  testMatch: folders.map((folder) => `<rootDir>/test/${folder}**/*.test.ts`),
  ...options,
});

/** @type {import("jest").Config} */
module.exports = {
  // Jest would leave one of two cores idle; most tests wait for child processes.
  maxWorkers: Math.max(2, require("node:os").availableParallelism() - 1),
  // Only against hangs: no test may depend on how fast the machine is. Jest has one limit for all projects.
  testTimeout: 600_000,
  projects: [
    project("unit", ["unit/"], {
      // As tsconfig.json maps it, for the examples.
      moduleNameMapper: {
        "^@pulumi/azure-native/(.*)$": "<rootDir>/test/support/azure-native/sdk/$1",
        "^pulumi-acr-import$": "<rootDir>/provider/index.ts",
      },
    }),
    project("protocol", ["registry/", "emulator/"], {
      globalSetup: "<rootDir>/test/support/setup/tools.ts",
    }),
    // What users run is dist/: these two start real processes that load it.
    project("plugin", ["plugin/"], { globalSetup: "<rootDir>/test/support/setup/dist.ts" }),
    project("engine", ["engine/"], {
      globalSetup: "<rootDir>/test/support/setup/engine.ts",
      globalTeardown: "<rootDir>/test/support/setup/refused-ways.ts",
    }),
  ],
};
