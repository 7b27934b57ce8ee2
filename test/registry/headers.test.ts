/** The headers of manifests as servers send them. */
import { createHash } from "node:crypto";
import zlib from "node:zlib";
import {
  DIGEST,
  failure,
  type Handler,
  MANIFEST,
  MANIFEST_TYPE,
  OTHER_DIGEST,
  openRegistry,
  sendManifest,
  useFakeRegistry,
} from "./fake-registry";

const fake = useFakeRegistry();

const serve = (headers: Record<string, string | string[]>, body: Buffer | string = MANIFEST) => {
  const encodings = new Set<unknown>();
  fake.handlers[fake.host] = openRegistry((request, response) => {
    encodings.add(request.headers["accept-encoding"]);
    response.writeHead(200, { "content-length": Buffer.byteLength(body), ...headers });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  return encodings;
};
const sha512 = `sha512:${createHash("sha512").update(MANIFEST).digest("hex")}`;
const methods = () => fake.requests.slice(1).map((request) => request.split(" ", 1)[0]);

describe("finds the digest with", () => {
  test.each<[string, string | string[] | undefined, string[]]>([
    ["the header", DIGEST, ["HEAD"]],
    ["its letters in upper case", DIGEST.toUpperCase().replace("SHA", "sha"), ["HEAD"]],
    ["the algorithm in upper case, too", DIGEST.toUpperCase(), ["HEAD"]],
    ["spaces around it", ` ${DIGEST} `, ["HEAD"]],
    ["no header", undefined, ["HEAD", "GET"]],
    ["an empty header", "", ["HEAD", "GET"]],
    ["the header twice", [DIGEST, DIGEST], ["HEAD", "GET"]],
    ["quotes around it", `"${DIGEST}"`, ["HEAD", "GET"]],
    ["no algorithm", DIGEST.slice(7), ["HEAD", "GET"]],
    ["another text", "latest", ["HEAD", "GET"]],
    ["a short digest", "sha256:1234", ["HEAD", "GET"]],
    ["a digest of an unknown algorithm", `sha384:${"a".repeat(96)}`, ["HEAD", "GET"]],
    ["a digest that Azure does not use", sha512, ["HEAD", "GET"]],
  ])("%s", async (_what, value, sent) => {
    serve({ "content-type": MANIFEST_TYPE, ...(value !== undefined && { "docker-content-digest": value }) });
    expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
    expect(methods()).toEqual(sent);
  });
});

test.each([OTHER_DIGEST, `sha512:${"0".repeat(128)}`])("names a wrong header %s", async (wrong) => {
  serve({ "content-type": MANIFEST_TYPE, "docker-content-digest": wrong });
  expect(await failure(fake.client().manifest("app", "1"))).toMatchObject({
    code: "SOURCE_INVALID_RESPONSE",
    reason: expect.stringContaining(`Docker-Content-Digest is ${wrong}, but the manifest has the digest`),
  });
});

test("finds a manifest by its sha512 digest", async () => {
  serve({ "content-type": MANIFEST_TYPE, "docker-content-digest": sha512 });
  expect((await fake.client().head("app", sha512))?.digest).toBe(sha512);
  expect(methods()).toEqual(["HEAD"]);
});

describe("finds a manifest of the type", () => {
  test.each([
    undefined,
    "",
    "text/plain",
    "text/plain; charset=utf-8",
    "application/json",
    "application/json; charset=utf-8",
    "application/octet-stream",
    "binary/octet-stream",
    "text/html",
    `${MANIFEST_TYPE}; charset=utf-8`,
    MANIFEST_TYPE.toUpperCase(),
    " ; ",
  ])("%s", async (type) => {
    serve({ "docker-content-digest": DIGEST, ...(type !== undefined && { "content-type": type }) });
    expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
    expect(await fake.client().manifest("app", "1")).toMatchObject({
      descriptor: { digest: DIGEST, mediaType: MANIFEST_TYPE, size: MANIFEST.length },
    });
  });
});

test.each(["0", undefined])("ignores a length of %s in the response to HEAD", async (length) => {
  const handler: Handler = (_request, response) =>
    response
      .writeHead(200, {
        "content-type": MANIFEST_TYPE,
        "docker-content-digest": DIGEST,
        ...(length && { "content-length": length }),
      })
      .end();
  fake.handlers[fake.host] = openRegistry(handler);
  expect(await fake.client().head("app", "1")).toEqual({ digest: DIGEST, mediaType: MANIFEST_TYPE });
});

// https://github.com/quay/quay/issues/1310
// https://github.com/distribution/distribution/issues/1444
describe("asks for no content encoding, and undoes", () => {
  test.each<[string, Buffer]>([
    ["gzip", zlib.gzipSync(MANIFEST)],
    ["x-gzip", zlib.gzipSync(MANIFEST)],
    ["GZIP", zlib.gzipSync(MANIFEST)],
    ["deflate", zlib.deflateSync(MANIFEST)],
    ["br", zlib.brotliCompressSync(MANIFEST)],
    ["identity", Buffer.from(MANIFEST)],
    ["", Buffer.from(MANIFEST)],
    ["gzip, br", zlib.brotliCompressSync(zlib.gzipSync(MANIFEST))],
  ])("%s", async (encoding, body) => {
    const accepted = serve({ "content-type": MANIFEST_TYPE, "content-encoding": encoding }, body);
    expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
    expect(await fake.client().manifest("app", DIGEST)).toMatchObject({ descriptor: { size: MANIFEST.length } });
    expect([...accepted]).toEqual(["identity"]);
  });

  test("none of the length of an encoded manifest", async () => {
    serve({ "content-type": MANIFEST_TYPE, "docker-content-digest": DIGEST, "content-encoding": "gzip" });
    expect(await fake.client().head("app", "1")).toEqual({ digest: DIGEST, mediaType: MANIFEST_TYPE });
  });
});

test.each<[string, string, Buffer, string]>([
  ["an unknown encoding", "compress", Buffer.from(MANIFEST), 'the content encoding "compress" was not requested'],
  ["a text without the encoding", "gzip", Buffer.from(MANIFEST), "the body is not gzip"],
  ["an encoding that is cut off", "gzip", zlib.gzipSync(MANIFEST).subarray(0, 30), "the body is not gzip"],
  ["a body that grows", "gzip", zlib.gzipSync(Buffer.alloc(5_000_000, " ")), "the body is longer than 4194304 bytes"],
  ["many encodings", "gzip, gzip, gzip", Buffer.from(MANIFEST), "too many content encodings"],
  ["a name of an object's own", "constructor", Buffer.from(MANIFEST), 'the content encoding "constructor"'],
])("gives the reason for %s", async (_what, encoding, body, reason) => {
  serve({ "content-type": MANIFEST_TYPE, "content-encoding": encoding }, body);
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({
    code: "SOURCE_INVALID_RESPONSE",
    reason: expect.stringContaining(reason),
  });
});

test("reads an encoded reason of a refusal, and does without one that it cannot read", async () => {
  const errors = JSON.stringify({ errors: [{ code: "DENIED", message: "not yours" }] });
  const refuse =
    (encoding: string): Handler =>
    (_request, response) =>
      response.writeHead(403, { "content-encoding": encoding }).end(zlib.gzipSync(errors));
  fake.handlers[fake.host] = openRegistry(refuse("gzip"));
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({ detail: "HTTP 403: DENIED: not yours" });
  fake.handlers[fake.host] = openRegistry(refuse("zstd"));
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
});

test("finds the digest where HEAD has a body, against the rules", async () => {
  fake.handlers[fake.host] = openRegistry((request, response) => {
    if (request.method !== "HEAD") return sendManifest(response);
    const head = [`HTTP/1.1 200 OK`, `Content-Type: ${MANIFEST_TYPE}`, `Docker-Content-Digest: ${DIGEST}`];
    return request.socket.end(`${head.join("\r\n")}\r\nContent-Length: ${MANIFEST.length}\r\n\r\n${MANIFEST}`);
  });
  expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
  expect((await fake.client().head("app", "2"))?.digest).toBe(DIGEST);
});
