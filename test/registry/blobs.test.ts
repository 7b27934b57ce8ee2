/** Blobs: configurations, and the payloads of signatures. */
import {
  failure,
  invalid,
  json,
  OTHER_DIGEST,
  sendManifest,
  sha256,
  tokenRegistry,
  tokenService,
  useFakeRegistry,
  user,
  withTokenService,
} from "./fake-registry";

const fake = useFakeRegistry();
const BLOB = "the payload of a signature";
const digest = sha256(BLOB);

test("reads a blob and checks its digest", async () => {
  fake.respondTo("GET", (_request, response) => response.end(BLOB));
  expect(String(await fake.client().blob("app", digest, 1000))).toBe(BLOB);
  expect(fake.requests.at(-1)).toBe(`GET ${fake.host}/v2/app/blobs/${digest}`);
  expect(await failure(fake.client().blob("app", OTHER_DIGEST, 1000))).toMatchObject(
    invalid(`the blob ${OTHER_DIGEST} has the digest ${digest}`),
  );
});

test("follows a redirect to storage on another host, without Authorization", async () => {
  const registry = tokenRegistry(`https://${fake.host}/token`, (_request, response) =>
    response.writeHead(307, { location: "https://storage.example.net/blob?signature=1" }).end(),
  );
  fake.handlers[fake.host] = withTokenService(tokenService(), registry);
  fake.handlers["storage.example.net"] = (_request, response) => response.end(BLOB);
  expect(String(await fake.client(user).blob("app", digest, 1000))).toBe(BLOB);
  expect(fake.authorizations.slice(-2)).toEqual(["Bearer good", "-"]);
});

test.each([BLOB.length - 1, 0])("rejects a blob that is longer than %i bytes", async (maxBytes) => {
  fake.respondTo("GET", (_request, response) => response.end(BLOB));
  expect(await failure(fake.client().blob("app", digest, maxBytes))).toMatchObject(
    invalid(`the body is longer than ${maxBytes} bytes`),
  );
  expect(fake.requests.filter((request) => request.includes("/blobs/"))).toHaveLength(1);
});

test("reads a blob that is longer than a manifest can be, where the caller allows it", async () => {
  const long = "x".repeat(5 * 1024 * 1024);
  fake.respondTo("GET", (_request, response) => response.end(long));
  expect((await fake.client().blob("app", sha256(long), long.length))?.length).toBe(long.length);
});

test("finds no blob after 404, and reports any other refusal", async () => {
  fake.respondTo("GET", (_request, response) => json(response, 404, {}));
  expect(await fake.client().blob("app", digest, 1000)).toBeUndefined();
  fake.respondTo("GET", (_request, response) => json(response, 403, {}));
  expect(await failure(fake.client().blob("app", digest, 1000))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
  fake.respondTo("GET", (_request, response) => json(response, 410, {}));
  expect(await failure(fake.client().blob("app", digest, 1000))).toMatchObject(invalid("GET returned HTTP 410"));
});

test("rejects an image whose configuration does not exist", async () => {
  const image = JSON.stringify({
    schemaVersion: 2,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: BLOB.length },
  });
  fake.respondTo("GET", (request, response) =>
    request.url?.includes("/blobs/")
      ? json(response, 404, {})
      : sendManifest(response, { "docker-content-digest": sha256(image) }, image),
  );
  const manifest = await fake.client().manifest("app", "1");
  const platforms = manifest && fake.client().platforms("app", manifest);
  expect(await failure(platforms ?? Promise.resolve())).toMatchObject(invalid(`the blob ${digest} was not found`));
});
