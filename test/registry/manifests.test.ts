/** Look-ups of manifests and platforms. */

import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import {
  DIGEST,
  failure,
  type Handler,
  invalid,
  json,
  MANIFEST,
  MANIFEST_TYPE,
  OTHER_DIGEST,
  sendManifest,
  useFakeRegistry,
  user,
} from "./fake-registry";

const fake = useFakeRegistry();

test("sends one ping per host and one HEAD per look-up to an open registry", async () => {
  fake.handlers[fake.host] = (_request, response) => sendManifest(response);
  const one = fake.client();
  expect(await one.head("app", "1")).toEqual({ digest: DIGEST, mediaType: MANIFEST_TYPE, size: MANIFEST.length });
  await one.head("app", "2");
  await fake.client(user).head("app", "3");
  expect(fake.requests).toEqual([
    `GET ${fake.host}/v2/`,
    ...["1", "2", "3"].map((tag) => `HEAD ${fake.host}/v2/app/manifests/${tag}`),
  ]);
});

test("finds nothing when the registry responds with 404", async () => {
  fake.respondTo("*", (_request, response) => json(response, 404, {}));
  expect(await fake.client().head("app", "1")).toBeUndefined();
  expect(await fake.client().manifest("app", "1")).toBeUndefined();
  expect(await fake.client().listTags("app", 10)).toBeUndefined();
});

test("does not trust a 404 of a host that is not a registry", async () => {
  fake.handlers[fake.host] = (_request, response) => response.writeHead(404).end("<html>");
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({
    code: "SOURCE_INVALID_RESPONSE",
    text: expect.stringContaining("GET /v2/ returned HTTP 404"),
  });
});

test.each<[string, Handler]>([
  ["without a digest", (_request, response) => response.writeHead(200, { "content-type": MANIFEST_TYPE }).end()],
  ["with an empty digest", (_request, response) => sendManifest(response, { "docker-content-digest": "" })],
  [
    "with a digest that is none",
    (_request, response) => sendManifest(response, { "docker-content-digest": "sha256:1" }),
  ],
  [
    "without a media type",
    (_request, response) => response.writeHead(200, { "docker-content-digest": OTHER_DIGEST }).end(),
  ],
  ["of 405", (_request, response) => response.writeHead(405).end()],
  ["of 501", (_request, response) => response.writeHead(501).end()],
])("reads the manifest after a HEAD response %s", async (_what, site) => {
  fake.respondTo("*", (request, response) =>
    request.method === "HEAD"
      ? site(request, response)
      : response.writeHead(200, { "content-type": MANIFEST_TYPE }).end(MANIFEST),
  );
  expect(await fake.client().head("app", "1")).toEqual({
    digest: DIGEST,
    mediaType: MANIFEST_TYPE,
    size: MANIFEST.length,
  });
  expect(fake.requests).toEqual([
    `GET ${fake.host}/v2/`,
    `HEAD ${fake.host}/v2/app/manifests/1`,
    `GET ${fake.host}/v2/app/manifests/1`,
  ]);
});

test("rejects a web page", async () => {
  fake.respondTo("*", (_request, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"));
  expect(await failure(fake.client().head("app", "1"))).toMatchObject(invalid("text/html is not a manifest's"));
});

test("rejects bytes without the digest in the header", async () => {
  fake.respondTo("*", (_request, response) => sendManifest(response, { "docker-content-digest": OTHER_DIGEST }));
  expect(await failure(fake.client().manifest("app", "1"))).toMatchObject(
    invalid(`Docker-Content-Digest is ${OTHER_DIGEST}, but the manifest has the digest ${DIGEST}`),
  );
});

test("rejects bytes and headers without the requested digest", async () => {
  fake.respondTo("*", (_request, response) => sendManifest(response));
  expect(await failure(fake.client().manifest("app", OTHER_DIGEST))).toMatchObject(
    invalid(`the manifest of ${OTHER_DIGEST} has the digest`),
  );
  expect(await failure(fake.client().head("app", OTHER_DIGEST))).toMatchObject(
    invalid(`the manifest of ${OTHER_DIGEST} has the digest`),
  );
  expect((await fake.client().manifest("app", DIGEST))?.descriptor.digest).toBe(DIGEST);
});

test("stops reading a body that is too long", async () => {
  let sent = 0;
  fake.respondTo("GET", (_request, response) => {
    response.writeHead(200, { "content-type": MANIFEST_TYPE });
    const chunk = Buffer.alloc(256 * 1024, " ");
    const more = (): void => {
      if (response.destroyed) return;
      sent += chunk.length;
      if (response.write(chunk)) setImmediate(more);
      else response.once("drain", more);
    };
    more();
  });
  expect(await failure(fake.client().manifest("app", "1"))).toMatchObject(
    invalid("the body is longer than 4194304 bytes"),
  );
  expect(sent).toBeLessThan(40 * 1024 * 1024);
});

test("rejects a header that is too long", async () => {
  fake.respondTo("*", (_request, response) => response.writeHead(200, { "x-long": "x".repeat(100_000) }).end());
  expect(await failure(fake.client().head("app", "1"))).toMatchObject(invalid("HPE_HEADER_OVERFLOW"));
});

test("reads the platforms and entries of an index", async () => {
  const index = JSON.stringify({
    schemaVersion: 2,
    manifests: [
      {
        mediaType: MANIFEST_TYPE,
        digest: DIGEST,
        size: 1,
        platform: { os: "linux", architecture: "arm64", variant: "v8" },
      },
    ],
  });
  fake.respondTo("*", (_request, response) =>
    response.writeHead(200, { "content-type": "application/vnd.oci.image.index.v1+json" }).end(index),
  );
  expect(await fake.client().manifest("app", "1")).toMatchObject({
    platforms: ["linux/arm64/v8"],
    entries: [{ digest: DIGEST, platform: "linux/arm64/v8" }],
  });
});

describe("platforms", () => {
  const config = JSON.stringify({ os: "linux", architecture: "arm64", variant: "v8" });
  const configDigest = `sha256:${createHash("sha256").update(config).digest("hex")}`;
  const image = JSON.stringify({
    schemaVersion: 2,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: configDigest, size: config.length },
  });
  const imageDigest = `sha256:${createHash("sha256").update(image).digest("hex")}`;
  const serving =
    (sendConfig: (response: ServerResponse) => void): Handler =>
    (request, response) =>
      request.url?.includes("/blobs/")
        ? sendConfig(response)
        : sendManifest(response, { "docker-content-digest": imageDigest }, image);
  const platforms = async () => {
    const found = await fake.client().manifest("app", "1");
    return found && fake.client().platforms("app", found);
  };

  test("reads the platform of a single image from its configuration, also behind a redirect to storage", async () => {
    fake.handlers[fake.host] = serving((response) => response.end(config));
    expect(await platforms()).toEqual(["linux/arm64/v8"]);
    fake.handlers[fake.host] = serving((response) =>
      response.writeHead(307, { location: "https://storage.example.net/blob?signature=1" }).end(),
    );
    fake.handlers["storage.example.net"] = (_request, response) => response.end(config);
    expect(await platforms()).toEqual(["linux/arm64/v8"]);
    expect(fake.requests.at(-1)).toBe("GET storage.example.net/blob?signature=1");
    expect(fake.authorizations.at(-1)).toBe("-");
  });

  test("rejects a configuration with another digest, and finds no platform without one", async () => {
    fake.handlers[fake.host] = serving((response) => response.end("{}"));
    expect(await failure(platforms())).toMatchObject({ code: "SOURCE_INVALID_RESPONSE" });
    fake.handlers[fake.host] = (_request, response) => sendManifest(response);
    expect(await platforms()).toEqual([]);
  });
});
