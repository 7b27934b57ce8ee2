/** Tests that need command-line tools. */

/**
 * Registers tests that need `crane` and `registry`. Without these tools, the tests are skipped with the reason in their name;
 * on CI they fail.
 */
export function describeWithTools(name: string, tests: (tools: Tools) => void): void {
  const { TEST_TOOLS: folder, TEST_TOOLS_MISSING: reason, CI } = process.env;
  if (folder !== undefined) {
    describe(name, () => tests({ crane: `${folder}/crane`, registry: `${folder}/registry` }));
  } else if (reason === undefined) {
    throw new Error(
      "TEST_TOOLS is not set: this project of jest.config.js lacks the globalSetup that builds the tools",
    );
  } else if (CI) {
    test(name, () => {
      throw new Error(`The tools that this test needs are missing: ${reason}`);
    });
  } else {
    describe.skip(`${name} (skipped: ${reason})`, () => tests({ crane: "", registry: "" }));
  }
}

export interface Tools {
  /** Path of the crane command. */
  crane: string;
  /** Path of the registry command (CNCF distribution). */
  registry: string;
}
