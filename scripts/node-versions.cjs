"use strict";
// The major versions of Node.js that this project runs on.
// Plain Node.js without dependencies: the bootstrap reads it before anything is installed.

/** Versions that `engines` in package.json allows and that the tests were run on. */
const SUPPORTED_NODE = [22, 24];
/** End of life since April 2026; the tests pass on it, and npm warns about it. */
const TOLERATED_NODE = 20;

/** One line about a version of Node.js: whether it is supported, tolerated, not tested or too old. */
function describeNode(version) {
  const major = Number.parseInt(version.replace(/^v/, ""), 10);
  const supported = SUPPORTED_NODE.join(" and ");
  if (SUPPORTED_NODE.includes(major)) return `Node.js ${version} (supported)`;
  if (major === TOLERATED_NODE) return `Node.js ${version} (tolerated: end of life; supported are ${supported})`;
  if (major < TOLERATED_NODE) return `Node.js ${version} (too old; supported are ${supported})`;
  return `Node.js ${version} (not tested; supported are ${supported})`;
}

module.exports = { SUPPORTED_NODE, TOLERATED_NODE, describeNode };
