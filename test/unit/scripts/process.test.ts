import { type ProcessInfo, starterWatch } from "../../../scripts/process";

const script = "node main.ts";
const shell = `sh -c ${script} `;

type Table = Record<number, ProcessInfo>;

/** Watches from a process below `parent`; both the table and the parent can be changed on the way. */
function watch(parent: number, table: Table, { event = "test", verb = "test" } = {}) {
  const state = { parent, table };
  const env = { npm_lifecycle_script: script, npm_lifecycle_event: event, npm_command: verb };
  const isAbandoned = starterWatch(
    env,
    () => state.parent,
    async (pid) => state.table[pid],
  );
  return { state, isAbandoned };
}

const npmBelow = (first: string): Table => ({
  1: { parent: 0, command: first },
  20: { parent: 1, command: "npm t" },
  30: { parent: 20, command: shell },
});

describe("npm as the first process is no sign of having been left", () => {
  test.each([
    ["npm t   ", "test", "test"],
    ["npm exec tool", "npx", "exec"],
    ["npm run build", "build", "run"],
    ["npm run build", "prebuild", "run-script"],
    ["npm install", "prepare", "install"],
    ["node /usr/lib/node_modules/npm/bin/npm-cli.js t", "test", "test"],
    ["/usr/bin/node --no-warnings /opt/yarn/bin/yarn.js build", "build", ""],
    ["node /usr/bin/pnpm.cjs run /build/", "build", "run-script"],
  ])("%s, at %s", async (first, event, verb) => {
    const table = { 1: { parent: 0, command: first }, 30: { parent: 1, command: shell } };
    expect(await watch(30, table, { event, verb }).isAbandoned()).toBe(false);
    expect(await watch(1, table, { event, verb }).isAbandoned()).toBe(false);
  });
});

describe("left before the first look, to a first process that cannot have started it", () => {
  test.each(["/sbin/init", "sh -c npm ci && npm t", "node server.js", "/usr/bin/bundler", "npm t", "npm run other"])(
    "%s",
    async (first) => {
      const table = { 1: { parent: 0, command: first }, 30: { parent: 1, command: shell } };
      const how = { event: "emulator", verb: "run" };
      expect(await watch(30, table, how).isAbandoned()).toBe(true);
      expect(await watch(1, table, how).isAbandoned()).toBe(true);
    },
  );
});

test("npm's end shows in the parent of its shell", async () => {
  const { state, isAbandoned } = watch(30, npmBelow("/sbin/init"));
  expect(await isAbandoned()).toBe(false);
  state.table = { ...state.table, 30: { parent: 1, command: shell } };
  expect(await isAbandoned()).toBe(true);
});

test("the shell's end shows in the parent, also when npm is the first process", async () => {
  const table = { 1: { parent: 0, command: "npm t" }, 30: { parent: 1, command: shell } };
  const { state, isAbandoned } = watch(30, table);
  expect(await isAbandoned()).toBe(false);
  state.parent = 1;
  expect(await isAbandoned()).toBe(true);
});

test("processes that cannot be read just now are no sign, and npm's end shows as soon as they can", async () => {
  const { state, isAbandoned } = watch(30, {});
  expect(await isAbandoned()).toBe(false);
  state.table = npmBelow("/sbin/init");
  expect(await isAbandoned()).toBe(false);
  state.table = {};
  expect(await isAbandoned()).toBe(false);
  state.table = { 30: { parent: 1, command: shell } };
  expect(await isAbandoned()).toBe(true);
});

test("a first process that cannot be read just now is asked again", async () => {
  const { state, isAbandoned } = watch(30, { 30: { parent: 1, command: shell } });
  expect(await isAbandoned()).toBe(false);
  state.table = { ...state.table, 1: { parent: 0, command: "/sbin/init" } };
  expect(await isAbandoned()).toBe(true);
});

test("without npm only the parent counts", async () => {
  let parent = 1;
  const isAbandoned = starterWatch(
    {},
    () => parent,
    async () => ({ parent: 0, command: "/sbin/init" }),
  );
  expect(await isAbandoned()).toBe(false);
  parent = 2;
  expect(await isAbandoned()).toBe(true);
});
