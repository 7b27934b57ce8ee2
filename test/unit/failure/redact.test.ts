/** Redaction of secrets in texts that others wrote. */
import { redact } from "../../../provider/failure/redact";

test.each([
  ["a secret wherever it stands", "a s3cret and s3cret", ["s3cret"], "a [secret] and [secret]"],
  ["a secret as JSON spells it", '{"password":"a\\"b"}', ['a"b'], '{"password":"[secret]"}'],
  ["the longest secret first", "s3cret-token", ["s3cret", "s3cret-token"], "[secret]"],
  ["no empty secret", "text", [""], "text"],
  ["a secret with the special patterns of replace", "$& and $1", ["$&"], "[secret] and $1"],
])("redacts %s", (_, text, secrets, redacted) => {
  expect(redact(text, secrets)).toBe(redacted);
});
