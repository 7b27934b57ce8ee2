// The conformance tests: slow, and apart from `npm test`.
const { projects } = require("../../jest.config.js");

const engine = projects.find(({ displayName }) => displayName === "engine");

/** @type {import("jest").Config} Tests with independent clients: run by `npm run conformance`, never by `npm test`. */
module.exports = {
  ...engine,
  displayName: "conformance",
  testMatch: ["<rootDir>/test/conformance/*.conformance.ts"],
  globalSetup: undefined,
  globalTeardown: undefined,
  maxWorkers: 1,
  // A client in Python takes seconds to start, and compiles itself on its first run.
  testTimeout: 600_000,
};
