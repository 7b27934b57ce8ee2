/** JSON that every program reads in the same way. */
import { parseStrictJson } from "../../../provider/signature/strict-json";

const parse = (text: string | Buffer) => parseStrictJson(Buffer.from(text));

test.each<[string, string, unknown]>([
  ["equal keys of different objects", '{"a":{"x":1},"b":{"x":2}}', { a: { x: 1 }, b: { x: 2 } }],
  ["text that looks like a key", '{"a":"\\"b\\": 1"}', { a: '"b": 1' }],
  ["a key that ends with a backslash", '{"a\\\\":"b"}', { "a\\": "b" }],
  ["white space before a colon", '{"a" :\n[{"b"\t:null}]}', { a: [{ b: null }] }],
  ["a text", '"a"', "a"],
  ["null", "null", null],
])("reads %s", (_, text, value) => {
  expect(parse(text)).toEqual(value);
});

test("reads a key that JavaScript treats specially as any other", () => {
  expect(JSON.stringify(parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}');
  expect(parse('{"__proto__":1,"__proto__":2}')).toBeUndefined();
});

test.each<[string, string | Buffer]>([
  ["a repeated key", '{"a":1,"a":2}'],
  ["a repeated key with an equal value", '{"a":1,"a":1}'],
  ["a repeated key in another spelling", '{"a":1,"\\u0061":2}'],
  ["a repeated key within a list", '[{"a":{"b":[{"c":1,"c":1}]}}]'],
  ["no JSON", "{a:1}"],
  ["nothing", ""],
  ["a second value", "{}{}"],
  ["a byte order mark", "\ufeff{}"],
  ["no UTF-8", Buffer.from([0x22, 0xff, 0x22])],
])("does not read %s", (_, text) => {
  expect(parse(text)).toBeUndefined();
});

test("reads a megabyte, however deep or long its parts are", () => {
  const deep = `${"[".repeat(500_000)}${"]".repeat(500_000)}`;
  expect(parse(deep)).toBeDefined();
  const long = JSON.stringify({ a: "\\".repeat(250_000), b: "x".repeat(500_000) });
  expect(parse(long)).toEqual(JSON.parse(long));
});
