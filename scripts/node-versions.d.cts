/** Types of node-versions.cjs. */
export const SUPPORTED_NODE: readonly number[];
export const TOLERATED_NODE: number;
/** One line about a version of Node.js: whether it is supported, tolerated, not tested or too old. */
export function describeNode(version: string): string;
