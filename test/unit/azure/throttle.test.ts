/** How requests wait together, and go on one after the other. */
import { ArmThrottles } from "../../../provider/azure/arm-throttles";
import { Throttle, Throttled } from "../../../provider/azure/throttle";
import { ManualTime } from "../../support/manual-time";

let time: ManualTime;
let passed: string[];
beforeEach(() => {
  time = new ManualTime();
  passed = [];
});

function enter(throttle: Throttle, name: string, signal?: AbortSignal): Promise<unknown> {
  return throttle.enter(signal).then(
    () => passed.push(name),
    (error: unknown) => error,
  );
}

test("holds nothing back before the service limits", async () => {
  const throttle = new Throttle({ burst: 2, spacingMs: 100 });
  for (const name of ["a", "b", "c"]) void enter(throttle, name);
  await time.pass(0);
  expect(passed).toEqual(["a", "b", "c"]);
});

test("makes all wait for one, then lets some go on at once, and the others in their order, each at its own time", async () => {
  const throttle = new Throttle({ burst: 2, spacingMs: 100 });
  throttle.hold(5_000);
  for (const name of ["a", "b", "c", "d"]) void enter(throttle, name);
  await time.pass(4_999);
  expect([passed, throttle.isHolding]).toEqual([[], true]);
  await time.pass(1);
  expect([passed, throttle.isHolding]).toEqual([["a", "b"], false]);
  await time.pass(99);
  expect(passed).toEqual(["a", "b"]);
  await time.pass(1);
  expect(passed).toEqual(["a", "b", "c"]);
  void enter(throttle, "e");
  await time.pass(200);
  expect(passed).toEqual(["a", "b", "c", "d", "e"]);
});

test("holds back those that wait for their turn when the service limits again", async () => {
  const throttle = new Throttle({ burst: 2, spacingMs: 100 });
  throttle.hold(5_000);
  for (const name of ["a", "b", "c"]) void enter(throttle, name);
  await time.pass(5_050);
  throttle.hold(5_000);
  await time.pass(4_999);
  expect(passed).toEqual(["a", "b"]);
  await time.pass(1);
  expect(passed).toEqual(["a", "b", "c"]);
});

test("waits for the later of two ends, also for one that comes during the wait", async () => {
  const throttle = new Throttle({ burst: 2, spacingMs: 100 });
  throttle.hold(5_000);
  throttle.hold(1_000);
  void enter(throttle, "a");
  await time.pass(4_000);
  throttle.hold(3_000);
  await time.pass(2_999);
  expect(passed).toEqual([]);
  await time.pass(1);
  expect(passed).toEqual(["a"]);
});

test("a request that gives up says that it was throttled, and lets nobody overtake", async () => {
  const throttle = new Throttle({ burst: 2, spacingMs: 100 });
  throttle.hold(5_000);
  const [first, second] = [new AbortController(), new AbortController()];
  const results = [enter(throttle, "a", first.signal), enter(throttle, "b", second.signal)];
  void enter(throttle, "c");
  await time.pass(1_000);
  second.abort();
  expect(await results[1]).toBeInstanceOf(Throttled);
  first.abort();
  expect(await results[0]).toBeInstanceOf(Throttled);
  await time.pass(3_999);
  expect(passed).toEqual([]);
  await time.pass(1);
  expect(passed).toEqual(["c"]);
});

test("reads and writes, subscriptions and clouds are limited apart", () => {
  const throttles = new ArmThrottles(() => {});
  const of = (method: "GET" | "POST", url: string) => throttles.of({ method, url });
  const base = "https://management.azure.com/subscriptions/A/providers/x";
  expect(of("GET", base)).toBe(of("GET", base.replace("/A/providers/x", "/a/resourceGroups/y?z")));
  const others = [
    of("POST", base),
    of("GET", base.replace("/A/", "/b/")),
    of("GET", base.replace("azure.com", "chinacloudapi.cn")),
    of("GET", "https://management.azure.com/providers/y"),
  ];
  expect(new Set([of("GET", base), ...others]).size).toBe(5);
});
