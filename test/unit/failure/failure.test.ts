/** The codes, the format and the tone of all failures. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import {
  type Code,
  type Failure,
  failureOf,
  formatFailure,
  ImportError,
  isClosed,
  isUnavailable,
} from "../../../provider/failure/failure";
import { registryFailure } from "../../../provider/failure/registry";
import { digestNotKept, recordedDigestKept } from "../../../provider/failure/source";
import { builders, samples } from "./samples";

const provider = path.join(__dirname, "../../../provider");

/** Complete by its type: a new code is missing here. */
const allCodes: Record<Code, true> = {
  INVALID_ARGUMENT: true,
  SOURCE_NOT_FOUND: true,
  SOURCE_QUARANTINED: true,
  SOURCE_UNRESOLVED: true,
  SOURCE_CREDENTIALS_REJECTED: true,
  SOURCE_ACCESS_DENIED: true,
  SOURCE_NETWORK_BLOCKED: true,
  SOURCE_TOKEN_SERVER_UNTRUSTED: true,
  SOURCE_THROTTLED: true,
  SOURCE_UNREACHABLE: true,
  SOURCE_UNAVAILABLE: true,
  SOURCE_INVALID_RESPONSE: true,
  TARGET_NOT_FOUND: true,
  TARGET_QUARANTINED: true,
  TARGET_CREDENTIALS_REJECTED: true,
  TARGET_ACCESS_DENIED: true,
  TARGET_NETWORK_BLOCKED: true,
  TARGET_TOKEN_SERVER_UNTRUSTED: true,
  TARGET_THROTTLED: true,
  TARGET_UNREACHABLE: true,
  TARGET_UNAVAILABLE: true,
  TARGET_INVALID_RESPONSE: true,
  SOURCE_MOVED: true,
  SOURCE_PLATFORM_NOT_FOUND: true,
  SOURCE_TOO_MANY_MANIFESTS: true,
  SOURCE_TOO_MANY_REFERRERS: true,
  SOURCE_TOO_MANY_TAGS: true,
  SELECTION_EMPTY: true,
  SELECTION_SHRUNK: true,
  IMPORT_INCOMPLETE: true,
  SOURCE_RANGE_UNSUPPORTED: true,
  SOURCE_EXPORT_FORBIDDEN: true,
  SIGNATURE_MISSING: true,
  SIGNATURE_REJECTED: true,
  SIGNATURE_UNREADABLE: true,
  TARGET_CONFLICT: true,
  TARGET_DECLARED_TWICE: true,
  TARGET_UNREADABLE: true,
  TARGET_NOT_VERIFIED: true,
  TARGET_LOCKED: true,
  TARGET_QUOTA_EXCEEDED: true,
  AZURE_CONFIGURATION_INVALID: true,
  AZURE_CREDENTIAL_MISSING: true,
  AZURE_CREDENTIAL_REJECTED: true,
  AZURE_PERMISSION_DENIED: true,
  AZURE_THROTTLED: true,
  AZURE_UNAVAILABLE: true,
  REGISTRY_NOT_FOUND: true,
  REGISTRY_AMBIGUOUS: true,
  REGISTRY_SKU_UNSUPPORTED: true,
  IMPORT_FAILED: true,
  IMPORT_TIMED_OUT: true,
};
const codes = Object.keys(allCodes).sort();

describe("docs/errors.md", () => {
  const docs = readFileSync(path.join(provider, "../docs/errors.md"), "utf8");
  const unescaped = (text: string) => text.trim().replaceAll("\\<", "<");
  const rows = docs
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\||\|$/g, "").trim()))
    .map(([code = "", meaning = "", message = "", hints = ""]) => ({
      code: code.replaceAll("`", ""),
      meaning,
      message: unescaped(message),
      hints: unescaped(hints),
    }));

  test("lists every code once, and no other", () => {
    expect(rows.map(({ code }) => code).sort()).toEqual(codes);
    expect(rows.filter(({ meaning }) => meaning === "")).toEqual([]);
  });

  test.each(rows)("shows a message and the hints of $code as they are", ({ code, message, hints }) => {
    const ofCode = samples.filter(({ failure }) => failure.code === code);
    const shown = ofCode.map(({ failure }) => ({
      message: formatFailure(failure).split("\n", 1)[0]?.replace(` [${code}]`, ""),
      hints: (failure.hints ?? []).join("<br>"),
    }));
    expect(shown).toContainEqual({ message, hints });
  });
});

describe("the builders", () => {
  test("cover every code", () => {
    expect([...new Set<string>(samples.map(({ failure }) => failure.code))].sort()).toEqual(codes);
  });

  test("are all used by the product", () => {
    const files = readdirSync(provider, { recursive: true, encoding: "utf8" });
    const text = files
      .filter((file) => file.endsWith(".ts") && !file.startsWith("failure/"))
      .map((file) => readFileSync(path.join(provider, file), "utf8"))
      .join("\n");
    expect(builders.filter((name) => !text.includes(name))).toEqual([]);
  });
});

describe("every message", () => {
  const built = samples.map(({ builder, failure }) => [`${builder}: ${failure.reason}`, failure] as const);

  test.each(built)("%s names object and reason", (_, { object, reason, side, code }) => {
    expect(`${object} ${reason}`).not.toMatch(/\n|undefined|\[object|\.$/);
    expect(object).not.toBe("");
    expect(reason).toMatch(/^[a-z]/);
    expect(side === undefined).toBe(code === "INVALID_ARGUMENT");
  });

  test.each(built)("%s has hints in the imperative, without a full stop at the end", (_, { hints = [], code }) => {
    // The reason of a wrong argument usually says what to write.
    if (code !== "INVALID_ARGUMENT") expect(hints).not.toEqual([]);
    for (const hint of hints) {
      expect(hint).toMatch(/^(If .*, [a-z]|For .*, [a-z]|To .*, [a-z]|[A-Z][a-z]+ )/);
      expect(hint).not.toMatch(/\n|undefined|\[object|\.$/);
    }
  });
});

describe("formatFailure", () => {
  const failure: Failure = {
    code: "SOURCE_THROTTLED",
    side: "source",
    object: "docker.io",
    reason: "is rate limiting",
    hints: ["Wait", "Sign in"],
    detail: "HTTP 429",
  };

  test("puts side, object, reason and code on the first line, then each hint and the detail", () => {
    expect(formatFailure(failure)).toBe(
      "source: docker.io is rate limiting [SOURCE_THROTTLED]\n  Hint: Wait\n  Hint: Sign in\n  Detail: HTTP 429",
    );
  });

  test("begins the failure of an argument with its path", () => {
    expect(formatFailure({ code: "INVALID_ARGUMENT", object: "targetTags[0]", reason: "must have a tag" })).toBe(
      "targetTags[0]: must have a tag [INVALID_ARGUMENT]",
    );
  });

  test("says what a warning continues with", () => {
    expect(formatFailure(recordedDigestKept(failure, "sha256:1"))).toBe(
      "source: docker.io is rate limiting; continuing with the recorded digest sha256:1 [SOURCE_THROTTLED]\n  Detail: HTTP 429",
    );
  });
});

describe("an ImportError", () => {
  const failure: Failure = { code: "IMPORT_FAILED", side: "target", object: "the import", reason: "failed" };

  test("carries its failure, its code and the formatted message", () => {
    const error = new ImportError(failure);
    expect(error.code).toBe("IMPORT_FAILED");
    expect(error.message).toBe("target: the import failed [IMPORT_FAILED]");
    expect(failureOf(error)).toBe(failure);
  });

  test("is recognized by its name, also when another copy of the package threw it", () => {
    expect(failureOf(Object.assign(new Error("x"), { name: "ImportError", failure }))).toBe(failure);
    for (const other of [new Error("x"), "x", undefined, { failure }]) expect(failureOf(other)).toBeUndefined();
  });
});

test("the codes tell whether a service is unavailable, and whether it is closed to this machine", () => {
  const matching = (predicate: (failure: Failure) => boolean) =>
    codes.filter((code) => predicate({ code: code as Code, object: "", reason: "" }));
  expect(matching(isUnavailable)).toEqual([
    "AZURE_THROTTLED",
    "AZURE_UNAVAILABLE",
    "SOURCE_THROTTLED",
    "SOURCE_UNAVAILABLE",
    "SOURCE_UNREACHABLE",
    "TARGET_THROTTLED",
    "TARGET_UNAVAILABLE",
    "TARGET_UNREACHABLE",
  ]);
  expect(matching(isClosed)).toEqual([
    "SOURCE_NETWORK_BLOCKED",
    "SOURCE_UNREACHABLE",
    "TARGET_NETWORK_BLOCKED",
    "TARGET_UNREACHABLE",
  ]);
});

test.each([
  ["EPROTO", "registries are contacted over HTTPS only"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "registries are contacted over HTTPS only"],
  ["CERT_HAS_EXPIRED", "certificate checks cannot be disabled"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "certificate checks cannot be disabled"],
  ["ECONNREFUSED", "Check the name, the network and the proxy"],
])("the hint for a connection that fails with %s", (errorCode, hint) => {
  for (const side of ["source", "target"] as const) {
    expect(registryFailure.unreachable(side, "127.0.0.1:5000", "the reason", errorCode).hints?.[0]).toContain(hint);
  }
});

describe("a source that is unavailable", () => {
  const failure = registryFailure.unavailable("source", "ghcr.io", "HTTP 503");

  test.each([
    ["fail", "of this source", 'Set onSourceUnavailable: "keep" to continue with the recorded digest'],
    ["keep", "of another source", "the recorded digest is of another source"],
    ["keep", undefined, "no digest is recorded yet"],
  ] as const)("with the policy %s and a digest %s", (policy, recorded, hint) => {
    expect(digestNotKept(failure, policy, recorded)).toEqual({
      ...failure,
      hints: [...(failure.hints ?? []), expect.stringContaining(hint)],
    });
  });

  test.each([
    ["fail", "of another source"],
    ["fail", undefined],
  ] as const)("gets no further hint with the policy %s and a digest %s", (policy, recorded) => {
    expect(digestNotKept(failure, policy, recorded)).toEqual(failure);
  });
});
