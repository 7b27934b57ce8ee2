/** What the bench of mirrors and features makes of counts and texts. */
import { requestsBeyond, type Traffic } from "../../../bench/emulator";
import { countDiffLines, serviceMs } from "../../../bench/measurements/mirrors";
import { tagsOf } from "../../../bench/mirror";
import { fullPlan, mirrorRoundsOf } from "../../../bench/plan";

test("tags are different versions, in the order of their numbers", () => {
  expect(tagsOf(3)).toEqual(["1.0.0", "1.1.0", "1.2.0"]);
  expect(tagsOf(202).slice(-2)).toEqual(["3.0.0", "3.1.0"]);
  expect(new Set(tagsOf(5000)).size).toBe(5000);
});

const traffic = (requests: Record<string, number>): Traffic => ({
  requests: new Map(Object.entries(requests)),
  connections: new Map(),
  bytes: 0,
  ms: 0,
});

test("what a feature adds leaves out what the plain image sends, and shows what it saves", () => {
  const plain = traffic({ "GET a/token": 1, "HEAD b/v2": 1, "GET c/": 1 });
  const more = traffic({ "GET a/token": 1, "HEAD b/v2": 4, "GET b/list": 1 });
  expect(Object.fromEntries(requestsBeyond(more, plain))).toEqual({ "HEAD b/v2": 3, "GET b/list": 1, "GET c/": -1 });
});

test("the service imports 16 at a time, so the last ones take as long as a full batch", () => {
  expect([16, 17, 100].map(serviceMs)).toEqual([2_000, 4_000, 14_000]);
});

test("the lines of a text diff are those below its name, up to the next property", () => {
  const preview = [
    "    ~ pulumi-nodejs:dynamic/acr:ImportedRepository: (update)",
    '        source          : "docker.io/mirrors/app"',
    "      ~ tags            : ",
    "            ...",
    "          - 1.0.0 sha256:0",
    "          + 1.0.0 sha256:1",
    "            1.1.0 sha256:2",
    '        targetRepository: "mirrors/app"',
    "Resources:",
  ].join("\n");
  expect(countDiffLines(preview, "tags")).toBe(4);
  expect(countDiffLines(preview, "referrers")).toBe(0);
});

test("large mirrors are measured less often", () => {
  expect([10, 1000].map((count) => mirrorRoundsOf(fullPlan, count))).toEqual([3, 2]);
  expect(mirrorRoundsOf({ ...fullPlan, rounds: 1 }, 5000)).toBe(1);
});
