/** The argument `verify.notation`: what is valid, and every problem that it can have. */
import { notationPolicyKey, parseNotationPolicy } from "../../../provider/signature/notation-policy";
import { CA_EXTENSIONS, issue } from "./notation-certificates";

const root = issue("Root", { extensions: CA_EXTENSIONS });
const intermediate = issue("CA", { issuer: root, extensions: CA_EXTENSIONS });
const leaf = issue("signer", { issuer: root });
const IDENTITY = "x509.subject: C=US, ST=WA, O=Example";

const valid = { trustStore: { ca: [root.pem] }, trustedIdentities: [IDENTITY], revocation: "skip" };
const withIdentities = (...trustedIdentities: unknown[]) => ({ ...valid, trustedIdentities });

function problemsOf(value: unknown): string[] {
  const parsed = parseNotationPolicy("verify.notation", value);
  return "problems" in parsed ? parsed.problems.map(({ object, reason }) => `${object} ${reason}`) : [];
}

function policyOf(value: unknown) {
  const parsed = parseNotationPolicy("verify.notation", value);
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed;
}

test("a valid policy is parsed", () => {
  const policy = policyOf({ ...valid, trustStore: { ca: [root.pem + intermediate.pem], tsa: [root.pem] } });
  expect(policy.ca.map(({ raw }) => raw)).toEqual([root.der, intermediate.der]);
  expect(policy.tsa.map(({ raw }) => raw)).toEqual([root.der]);
  expect(policy.trustedIdentities).toEqual([
    new Map([
      ["C", "US"],
      ["ST", "WA"],
      ["O", "Example"],
    ]),
  ]);
});

test("without timestamp authorities, none are trusted", () => {
  expect(policyOf({ ...valid, trustStore: { ca: [root.pem], tsa: undefined } }).tsa).toEqual([]);
});

test("all problems are reported at once, each with its path, and no certificate is repeated", () => {
  const args = {
    trustStore: { ca: [leaf.pem, "/etc/ca.pem", 7], tsa: [intermediate.pem], crl: [] },
    trustedIdentities: ["*", IDENTITY],
    level: "strict",
  };
  expect(problemsOf(args)).toEqual([
    "verify.notation.level is not a known argument; expected one of trustStore, trustedIdentities, revocation",
    "verify.notation.trustStore.crl is not a known argument; expected one of ca, tsa",
    "verify.notation.trustStore.ca[2] must be a string",
    "verify.notation.trustStore.ca[0] must be the certificate of a CA, or self-signed",
    "verify.notation.trustStore.ca[1] must contain a certificate in PEM",
    "verify.notation.trustStore.tsa[0] must be a root certificate, which is self-signed",
    'verify.notation.trustedIdentities[0] must be alone when it is "*"',
    'verify.notation.revocation must be "skip"',
  ]);
  expect(JSON.stringify(parseNotationPolicy("", args))).not.toContain("CERTIFICATE");
});

test.each([
  [undefined, ["verify.notation is required"]],
  ["ca.pem", ["verify.notation must be an object with trustStore, trustedIdentities, revocation"]],
  [
    {},
    [
      "verify.notation.trustStore is required",
      'verify.notation.trustedIdentities is required: a list of subjects such as "x509.subject: C=US, ST=WA, O=Example", or "*" alone',
      'verify.notation.revocation must be "skip"',
    ],
  ],
  [{ ...valid, trustStore: {} }, ["verify.notation.trustStore.ca is required: a list of certificates in PEM"]],
  [{ ...valid, trustStore: { ca: [] } }, ["verify.notation.trustStore.ca must be a list of certificates in PEM"]],
  [{ ...valid, trustStore: { ca: root.pem } }, ["verify.notation.trustStore.ca must be a list of certificates in PEM"]],
  [
    { ...valid, trustStore: { ca: [root.pem], tsa: [] } },
    ["verify.notation.trustStore.tsa must be a list of certificates in PEM"],
  ],
  [{ ...valid, revocation: "strict" }, ['verify.notation.revocation must be "skip"']],
  [{ ...valid, revocation: undefined }, ['verify.notation.revocation must be "skip"']],
])("%#: what is missing or of another type is named", (value, problems) => {
  expect(problemsOf(value)).toEqual(problems);
});

test("a certificate that cannot be read is named, and not repeated", () => {
  const broken = root.pem.replace(/\nMII/, "\nAAA");
  expect(problemsOf({ ...valid, trustStore: { ca: [broken] } })).toEqual([
    "verify.notation.trustStore.ca[0] contains a certificate that cannot be read",
  ]);
});

test("a private key is not a certificate, and is not repeated", () => {
  const key = root.key.export({ format: "pem", type: "pkcs8" });
  const parsed = parseNotationPolicy("verify.notation", { ...valid, trustStore: { ca: [key] } });
  expect(JSON.stringify(parsed)).toContain("must contain a certificate in PEM");
  expect(JSON.stringify(parsed)).not.toContain("PRIVATE KEY");
});

describe("identities", () => {
  const path = "verify.notation.trustedIdentities[0]";

  test.each([
    ["C=US, ST=WA, O=Example", { C: "US", ST: "WA", O: "Example" }],
    ["C=US,ST=WA,O=Example", { C: "US", ST: "WA", O: "Example" }],
    ["c = US ,s= WA, o =Example ", { C: "US", ST: "WA", O: "Example" }],
    ["CN=x,OU=y,O=Example,L=z,ST=WA,C=US", { CN: "x", OU: "y", O: "Example", L: "z", ST: "WA", C: "US" }],
    ["C=US, ST=WA, O=Example\\, Inc.", { C: "US", ST: "WA", O: "Example, Inc." }],
    ["C=US, ST=WA, O=\\ Example\\ ", { C: "US", ST: "WA", O: " Example " }],
    ["C=US, ST=WA, O=a\\\\b\\;c\\+d", { C: "US", ST: "WA", O: "a\\b;c+d" }],
    ["C=DE, ST=K\\c3\\b6ln, O=Käse", { C: "DE", ST: "Köln", O: "Käse" }],
    ["C=US, ST=WA, O=\\#1 = best", { C: "US", ST: "WA", O: "#1 = best" }],
  ])("%s is understood", (text, expected) => {
    const [identity] = policyOf(withIdentities(`x509.subject:${text}`)).trustedIdentities as Map<string, string>[];
    expect(Object.fromEntries(identity ?? [])).toEqual(expected);
  });

  const MALFORMED = /must be a list such as C=US, ST=WA, O=Example, with a backslash before/;
  test.each([
    ["C=US, ST=WA", /must contain C, ST and O; missing: O$/],
    ["O=Example", /missing: C, ST$/],
    ["C=US, ST=WA, O=", /must have a text as the value of O$/],
    ["C=US, ST=WA, O=   ", /must have a text as the value of O$/],
    ["C=US, ST=WA, O=#0403", /must have a text as the value of O$/],
    ["C=US, ST=WA, O=a, O=b", /must not contain O twice$/],
    ["C=US, S=WA, ST=WA, O=a", /must not contain ST twice$/],
    ["C=US, ST=WA, O=a+OU=b", /must not contain an attribute with several values \(\+\)$/],
    ["C=US, ST=WA, O=a, E=a@b.c", /must not contain E; supported are C, ST, L, O, OU, CN/],
    ["C=US, ST=WA, O=a, 1.2.3=b", /must not contain 1.2.3; supported are/],
    ["C=US, ST=WA, O=Example, Inc.", MALFORMED],
    ['C=US, ST=WA, O="Example"', MALFORMED],
    ["C=US; ST=WA; O=Example", MALFORMED],
    ["C=US, ST=WA, O=Example,", MALFORMED],
    ["", MALFORMED],
    ["US", MALFORMED],
    ["C=US, ST=WA, O=a\\", MALFORMED],
  ])("%s is refused", (text, reason) => {
    const [problem, ...others] = problemsOf(withIdentities(`x509.subject: ${text}`));
    expect(problem).toMatch(reason);
    expect(problem?.startsWith(path)).toBe(true);
    expect(others).toEqual([]);
  });

  test.each([["C=US, ST=WA, O=Example"], ["x509.subject.CN: a"], ["x509.san: a"], [""]])(
    "%s needs a prefix",
    (text) => {
      expect(problemsOf(withIdentities(text))).toEqual([`${path} must be "*" or begin with "x509.subject:"`]);
    },
  );

  test("* is every identity", () => {
    expect(policyOf(withIdentities("*")).trustedIdentities).toBe("*");
  });

  test.each([
    [IDENTITY, IDENTITY],
    [IDENTITY, `${IDENTITY}, CN=a`],
    [`${IDENTITY}, CN=a`, IDENTITY],
  ])("%s and %s overlap, which the specification does not permit", (one, other) => {
    const reason = "must not overlap with verify.notation.trustedIdentities[0]";
    expect(problemsOf(withIdentities(one, other))).toEqual([`verify.notation.trustedIdentities[1] ${reason}`]);
  });

  test("identities with different values do not overlap", () => {
    expect(policyOf(withIdentities(`${IDENTITY}, CN=a`, `${IDENTITY}, CN=b`)).trustedIdentities).toHaveLength(2);
  });
});

describe("the key of a policy", () => {
  const keyOf = (value: unknown) => notationPolicyKey(policyOf(value));
  const two = [`${IDENTITY}, CN=a`, `${IDENTITY}, CN=b`];
  const all = {
    trustStore: { ca: [root.pem, intermediate.pem], tsa: [root.pem] },
    trustedIdentities: two,
    revocation: "skip",
  };

  test("is the same however the policy is written", () => {
    const same = {
      revocation: "skip",
      trustedIdentities: ["x509.subject:CN=b,O=Example,S=WA,C=US", "x509.subject: C=US, ST=WA, O=Exampl\\65, CN=a"],
      trustStore: {
        tsa: [`comment\n${root.pem.replace(/\n/g, "\r\n")}`],
        ca: [intermediate.pem + root.pem + root.pem],
      },
    };
    expect(keyOf(same)).toBe(keyOf(all));
  });

  test.each([
    ["another CA", { ...all, trustStore: { ...all.trustStore, ca: [root.pem] } }],
    ["no timestamp authority", { ...all, trustStore: { ca: all.trustStore.ca } }],
    ["another timestamp authority", { ...all, trustStore: { ...all.trustStore, tsa: [issue("x").pem] } }],
    ["another identity", { ...all, trustedIdentities: [two[0]] }],
    ["every identity", { ...all, trustedIdentities: ["*"] }],
    ["an identity that looks like two", { ...all, trustedIdentities: [two[0], `${IDENTITY}, CN=b\\, L=c`] }],
  ])("differs with %s", (_, other) => {
    expect(keyOf(other)).not.toBe(keyOf(all));
  });
});
