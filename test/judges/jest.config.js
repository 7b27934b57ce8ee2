const { projects } = require("../../jest.config.js");

const engine = projects.find(({ displayName }) => displayName === "engine");

/** @type {import("jest").Config} Real clients as judges: run by `npm run judges`, never by `npm test`. */
module.exports = {
  ...engine,
  displayName: "judges",
  testMatch: ["<rootDir>/test/judges/*.judge.ts"],
  globalSetup: undefined,
  globalTeardown: undefined,
  maxWorkers: 1,
  // A client in Python takes seconds to start, and the first one of a run compiles itself.
  testTimeout: 600_000,
};
