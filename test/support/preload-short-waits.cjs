/** Preloaded into the plugin process: cuts the waits between polls and retries to a twentieth. */
const promises = require("node:timers/promises");

const sleep = promises.setTimeout;
// Unreferenced waits are limits, which must not end early.
promises.setTimeout = (ms, value, options) => sleep(options?.ref === false ? ms : ms / 20, value, options);
