/** What the texts of an `ImportedRepository` say of each tag. */
import fc from "fast-check";
import { parseTagRecords, parseTags, printTagRecords, type TagRecord } from "../../../provider/resource/tag-records";
import { digestOf } from "../../support/fixtures";

const [one, two, three] = [digestOf("1"), digestOf("2"), digestOf("3")];
const records = (entries: Record<string, TagRecord>) => new Map(Object.entries(entries));

test("writes sorted lines, and nothing that is empty", () => {
  expect(printTagRecords(records({ "1.10": { digest: one, held: one }, "1.1": { digest: two, held: two } }))).toEqual({
    tags: `1.1 ${two}\n1.10 ${one}\n`,
  });
  expect(printTagRecords(new Map())).toEqual({ tags: "" });
});

test("says what was imported where the target holds something else", () => {
  const drifted = records({ gone: { digest: one, held: undefined }, moved: { digest: one, held: two } });
  const texts = printTagRecords(drifted);
  expect(texts).toEqual({ tags: `moved ${two}\n`, imported: `gone ${one}\nmoved ${one}\n` });
  expect(parseTagRecords(texts)).toEqual(drifted);
});

test("keeps what belongs to a tag on lines of its own", () => {
  const texts = printTagRecords(
    records({
      "1.0": {
        digest: one,
        held: one,
        candidate: `${two} since 2026-11-25T04:00Z`,
        referrers: `application/spdx+json ${three}\nsha256-${"0".repeat(64)}.sig ${two}`,
        referrersFingerprint: "abc application/*",
        signature: `${two} and ${three}`,
        signedBy: "https://example.com/release.yml\nby https://issuer",
      },
    }),
  );
  expect(texts).toEqual({
    tags: `1.0 ${one}\n`,
    candidates: `1.0 ${two} since 2026-11-25T04:00Z\n`,
    referrers: `1.0 application/spdx+json ${three}\n1.0 sha256-${"0".repeat(64)}.sig ${two}\n`,
    referrersFingerprints: "1.0 abc application/*\n",
    signatures: `1.0 ${two} and ${three} https://example.com/release.yml by https://issuer\n`,
  });
  expect(parseTagRecords(texts).get("1.0")).toMatchObject({
    candidate: `${two} since 2026-11-25T04:00Z`,
    referrersFingerprint: "abc application/*",
    signature: `${two} and ${three}`,
    signedBy: "https://example.com/release.yml by https://issuer",
  });
});

test("reads what it has written", () => {
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/);
  const digest = fc.constantFrom(one, two, three);
  const record = fc.record(
    {
      digest,
      held: fc.option(digest, { nil: undefined }),
      candidate: fc.constant(`${one} since 2026-11-25T04:00Z in ${two}`),
      referrers: fc.constantFrom(`application/x ${one}`, `application/x ${one}\napplication/y ${two}`),
      referrersFingerprint: fc.constantFrom("a", "a b"),
      signature: fc.constantFrom(`${one}`, `${one} and ${two}`),
      signedBy: fc.constantFrom("SHA256:abc", "CN=a, O=b and c"),
    },
    { requiredKeys: ["digest", "held", "signature", "signedBy"] },
  );
  fc.assert(
    fc.property(fc.dictionary(tag, record), (entries) => {
      const written = printTagRecords(new Map(Object.entries(entries)));
      const read = parseTagRecords(written);
      // A fingerprint says that nothing refers to the image where no line does.
      const withText = Object.entries(entries).map(([name, one]) => [
        name,
        one.referrersFingerprint !== undefined && one.referrers === undefined ? { ...one, referrers: "" } : one,
      ]);
      expect(Object.fromEntries(read)).toEqual(Object.fromEntries(withText as [string, TagRecord][]));
      expect(printTagRecords(read)).toEqual(written);
    }),
  );
});

test("reads the tags of a text, and none of what is no text of ours", () => {
  expect([...parseTags(`1.0 ${one}\n1.1 ${two}`)]).toEqual([
    ["1.0", one],
    ["1.1", two],
  ]);
  expect([...parseTags(undefined), ...parseTags("")]).toEqual([]);
  expect(parseTagRecords({ tags: "1.0 latest" }).size).toBe(0);
});
