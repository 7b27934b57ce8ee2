/** What verification loads, and when: a run without a new signature must not pay for it. */
import { execFileSync } from "node:child_process";
import path from "node:path";

test("parsers of DER and CBOR are not loaded before there is a signature that needs them", () => {
  const folder = path.resolve(__dirname, "../../../provider/signature");
  const script = `
    const { verifyNotation } = require(${JSON.stringify(path.join(folder, "notation.ts"))});
    const { parseNotationPolicy } = require(${JSON.stringify(path.join(folder, "notation-policy.ts"))});
    const fixtures = require(${JSON.stringify(path.join(__dirname, "notation-fixtures.json"))});
    const loaded = () => ["@sigstore", "cbor2"].filter((name) => Object.keys(require.cache).some((file) => file.includes("node_modules/" + name)));
    const policy = parseNotationPolicy("", { trustStore: { ca: [fixtures.ca] }, trustedIdentities: ["*"], revocation: "skip" });
    const verify = async (title) => {
      const { mediaType, envelope } = fixtures.signatures[title];
      const layers = [{ mediaType, digest: "", size: 1, annotations: {} }];
      const manifest = { artifactType: "application/vnd.cncf.notary.signature", subject: fixtures.subject, layers };
      const verdict = await verifyNotation(fixtures.subject, { manifest, blob: () => Buffer.from(envelope, "base64") }, policy, new Date(fixtures.signedAt));
      return [Object.keys(verdict)[0], loaded()];
    };
    (async () => {
      const parsed = loaded();
      const jws = await verify("jws p384, with expiry");
      console.log(JSON.stringify({ parsed, jws, cose: await verify("cose p384, with expiry") }));
    })();`;
  const output = execFileSync(process.execPath, ["--import", "tsx", "--eval", script], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual({
    parsed: [],
    jws: ["signedBy", ["@sigstore"]],
    cose: ["signedBy", ["@sigstore", "cbor2"]],
  });
});
