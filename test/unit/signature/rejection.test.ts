/** Reasons for which signatures do not count. */
import { printable, Rejection, rejectionReason, summarize } from "../../../provider/signature/rejection";

test.each<[string, unknown, string]>([
  ["a rejection", new Rejection("signs another image"), "signs another image"],
  ["an error of a library", new TypeError("x is undefined"), "is malformed: x is undefined"],
  ["anything else", "x", "is malformed: x"],
])("the reason in %s", (_, error, reason) => {
  expect(rejectionReason(error)).toBe(reason);
});

test("several reasons are summarized, each of them once", () => {
  expect(summarize(["a", "b", "a"])).toBe("a; b");
  expect(summarize(["a", "b", "c", "d", "b", "e"])).toBe("a; b; c; and 2 more");
});

test("a reason is one line of printable characters, and not too long", () => {
  expect(printable("a\n\u001b[31mb\u2028\u202ec")).toBe("a\ufffd\ufffd[31mb\ufffd\ufffdc");
  expect(summarize(["\u001b"])).toBe("\ufffd");
  expect(printable("x".repeat(501))).toBe(`${"x".repeat(500)}…`);
  expect(printable("x".repeat(500))).toBe("x".repeat(500));
});
