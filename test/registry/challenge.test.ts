/** The parser of `WWW-Authenticate`. */
import fc from "fast-check";
import { parseChallenges } from "../../provider/registry/challenge";

const read = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test.each<[string, string, unknown]>([
  [
    "Docker Hub",
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
    [["bearer", { realm: "https://auth.docker.io/token", service: "registry.docker.io" }]],
  ],
  [
    "a comma within quotes",
    'Bearer realm="https://r/token",service="r",scope="repository:a/b:pull,push"',
    [["bearer", { realm: "https://r/token", service: "r", scope: "repository:a/b:pull,push" }]],
  ],
  [
    "several challenges in one header, or several headers joined",
    'Basic realm="Registry, private", Bearer realm="https://r/token" , service=r',
    [
      ["basic", { realm: "Registry, private" }],
      ["bearer", { realm: "https://r/token", service: "r" }],
    ],
  ],
  [
    "a scheme alone before another",
    "Negotiate, Basic realm=x",
    [
      ["negotiate", {}],
      ["basic", { realm: "x" }],
    ],
  ],
  [
    "token68",
    'NTLM TlRMTVNTUAAC==, Bearer realm="x"',
    [
      ["ntlm", {}],
      ["bearer", { realm: "x" }],
    ],
  ],
  ["escapes in quotes", 'Basic realm="a \\"b\\" \\\\ c"', [["basic", { realm: 'a "b" \\ c' }]]],
  [
    "spaces around the equals sign, any case",
    'BEARER Realm = "x" , SERVICE= y',
    [["bearer", { realm: "x", service: "y" }]],
  ],
  [
    "a URL without quotes",
    "Bearer realm=https://r/token,service=r",
    [["bearer", { realm: "https://r/token", service: "r" }]],
  ],
  ["the first of a name twice", 'Bearer realm="a",realm="b"', [["bearer", { realm: "a" }]]],
  ["empty elements", ', ,Basic realm="x",,', [["basic", { realm: "x" }]]],
  ["nothing", "", []],
  ["an open quote ends the reading", 'Bearer realm="https://r', [["bearer", {}]]],
  ["a parameter without scheme", 'realm="x"', []],
])("%s", (_name, header, expected) => {
  expect(read(header)).toEqual(expected);
});

test("reads any text without an error", () => {
  const pieces = fc.array(
    fc.constantFrom("Bearer", "Basic", " ", ",", "=", '"', "\\", "realm", "a/b", "é", "x".repeat(50)),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        pieces.map((list) => list.join("")),
        fc.string(),
      ),
      (header) => {
        expect(Array.isArray(parseChallenges(header))).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});

test("reads a hostile header in linear time", () => {
  // A parser that backtracks takes longer for these than Jest allows.
  const hostile = [
    `Bearer ${'realm="'.repeat(300_000)}`,
    `Bearer realm=${"a/".repeat(1_000_000)}"`,
    "a ".repeat(1_000_000),
  ];
  for (const header of hostile) expect(Array.isArray(parseChallenges(header))).toBe(true);
});

test("reads back what was written", () => {
  const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const parameters = fc.dictionary(token, fc.string(), { minKeys: 1, maxKeys: 3, noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(fc.tuple(token, parameters), { maxLength: 3 }), (challenges) => {
      const quote = (value: string) => `"${value.replace(/["\\]/g, "\\$&")}"`;
      const header = challenges
        .map(
          ([scheme, list]) =>
            `${scheme} ${Object.entries(list)
              .map(([name, value]) => `${name}=${quote(value)}`)
              .join(", ")}`,
        )
        .join(", ");
      expect(read(header)).toEqual(challenges);
    }),
  );
});
