import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import * as failures from "../../../provider/failure/failure";
import {
  type Code,
  type Failure,
  failureOf,
  formatFailure,
  ImportError,
  isClosed,
  isUnavailable,
} from "../../../provider/failure/failure";

const root = path.join(__dirname, "../../..");

/** Complete by its type: a code that is added to the product is missing here. */
const allCodes: Record<Code, true> = {
  INVALID_ARGUMENT: true,
  SOURCE_NOT_FOUND: true,
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
  TARGET_CREDENTIALS_REJECTED: true,
  TARGET_ACCESS_DENIED: true,
  TARGET_NETWORK_BLOCKED: true,
  TARGET_TOKEN_SERVER_UNTRUSTED: true,
  TARGET_THROTTLED: true,
  TARGET_UNREACHABLE: true,
  TARGET_UNAVAILABLE: true,
  TARGET_INVALID_RESPONSE: true,
  SOURCE_TOO_MANY_MANIFESTS: true,
  SOURCE_RANGE_UNSUPPORTED: true,
  SOURCE_EXPORT_FORBIDDEN: true,
  TARGET_CONFLICT: true,
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

/** Every sentence that there is words for, with the name it goes by. */
function wordings(): { name: string; side: string; failure: Failure }[] {
  const groups = Object.entries(failures).filter(([name]) => name.endsWith("Failure"));
  const made = groups.flatMap(([group, words]) =>
    Object.entries(words).flatMap(([name, make]) =>
      (["source", "target"] as const).map((side) => ({
        name: `${group}.${name}`,
        side,
        failure: (make as (...args: unknown[]) => Failure)(side, ...argumentsFor(`${group}.${name}`)),
      })),
    ),
  );
  const { operationTimedOut } = failures;
  return [...made, { name: "operationTimedOut", side: "target", failure: operationTimedOut("r.azurecr.io/a:1", 5) }];
}

/** Texts do everywhere but where a list is joined. */
function argumentsFor(name: string): unknown[] {
  const found = [{ target: "a:1", holds: "sha256:1" }];
  if (/conflict|notVerified/.test(name)) return [found, "sha256:2"];
  if (/uncomparable|unreleasable/.test(name)) return [["a:1"]];
  if (/registryAmbiguous/.test(name)) return ["name", ["/id/1", "/id/2"]];
  return ["one", "two", "three", "four"];
}

/** All sources of the product but the one that is about words. */
function productText(): string {
  const files = readdirSync(path.join(root, "provider"), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".ts") && file !== "failure.ts")
    .map((file) => readFileSync(path.join(root, "provider", file), "utf8"))
    .join("\n");
}

test("the README's table of errors lists every code, and no other", () => {
  const readme = readFileSync(path.join(root, "README.md"), "utf8");
  const [, section = ""] = /^## Errors$(.*?)^## /ms.exec(readme) ?? [];
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  const listed = rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code));
  expect(listed.sort()).toEqual(codes);
});

test("there are words for every code", () => {
  const worded = new Set<string>(wordings().map(({ failure }) => failure.code));
  // Its sentences are made where arguments are judged.
  worded.add("INVALID_ARGUMENT");
  expect([...worded].sort()).toEqual(codes);
});

test("all words are used by the product", () => {
  const text = productText();
  const unused = wordings().filter(({ name }) => !text.includes(name));
  expect(unused.map(({ name }) => name)).toEqual([]);
  expect(text).toContain('code: "INVALID_ARGUMENT"');
});

test.each(wordings().map(({ name, side, failure }) => [`${name} (${side})`, failure] as const))(
  "%s says in one line whose fault it is, and what to do",
  (_, failure) => {
    expect(failure.summary).toMatch(/^(source|target|Azure|the [a-z]+): \S/);
    expect(failure.summary).not.toMatch(/\n|undefined|\[object/);
    expect(failure.remedy).toBeTruthy();
    expect(failure.remedy).not.toMatch(/\n|undefined|\[object/);
    const [first, ...rest] = formatFailure(failure).split("\n");
    expect(first).toBe(`${failure.summary} [${failure.code}]`);
    expect(rest[0]).toBe(`  What to do: ${failure.remedy}`);
  },
);

test("a failure is told by its code, also when another copy of the package threw it", () => {
  const failure: Failure = { code: "IMPORT_FAILED", summary: "target: it failed" };
  const error = new ImportError(failure);
  expect(error.code).toBe("IMPORT_FAILED");
  expect(error.message).toBe("target: it failed [IMPORT_FAILED]");
  expect(failureOf(error)).toBe(failure);
  expect(failureOf(Object.assign(new Error("x"), { name: "ImportError", failure }))).toBe(failure);
  for (const other of [new Error("x"), "x", undefined, { failure }]) expect(failureOf(other)).toBeUndefined();
});

test("which failures mean that nobody answered, and which that nobody can be asked from here", () => {
  const judged = (judge: (failure: Failure) => boolean) =>
    codes.filter((code) => judge({ code: code as Code, summary: "" }));
  expect(judged(isUnavailable)).toEqual([
    "AZURE_THROTTLED",
    "AZURE_UNAVAILABLE",
    "SOURCE_THROTTLED",
    "SOURCE_UNAVAILABLE",
    "SOURCE_UNREACHABLE",
    "TARGET_THROTTLED",
    "TARGET_UNAVAILABLE",
    "TARGET_UNREACHABLE",
  ]);
  expect(judged(isClosed)).toEqual([
    "SOURCE_NETWORK_BLOCKED",
    "SOURCE_UNREACHABLE",
    "TARGET_NETWORK_BLOCKED",
    "TARGET_UNREACHABLE",
  ]);
});

test.each([
  ["it does not speak TLS (EPROTO)", "registries are asked over https only"],
  ["its certificate has expired", "certificates are always checked"],
])("a fault of TLS (%s) is what its remedy is about", (reason, remedy) => {
  for (const side of ["source", "target"] as const) {
    expect(failures.registryFailure.unreachable(side, "127.0.0.1:5000", reason).remedy).toContain(remedy);
  }
});
