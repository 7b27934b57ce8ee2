/** Lists of tags and referrers, page after page. */
import { DIGEST, failure, invalid, json, MANIFEST_TYPE, OTHER_DIGEST, useFakeRegistry } from "./fake-registry";

const fake = useFakeRegistry();

test("reads tags page after page", async () => {
  fake.respondTo("*", (request, response) => {
    const last = new URL(request.url ?? "", "https://x").searchParams.get("last");
    if (last === null)
      json(response, 200, { tags: ["1", "2"] }, { link: '</v2/app/tags/list?n=2&last=2>; rel="next"' });
    else json(response, 200, { tags: ["3", 4, null] });
  });
  expect(await fake.client().tags("app")).toEqual(["1", "2", "3"]);
});

test("stops at a list of pages that does not end", async () => {
  fake.respondTo("*", (_request, response) => json(response, 200, { tags: ["1"] }, { link: '<?n=1>; rel="next"' }));
  expect(await failure(fake.client().tags("app"))).toMatchObject(invalid("the list does not end"));
});

test("reads referrers by the API, or by the tag where there is none", async () => {
  const referrers = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [
      { mediaType: MANIFEST_TYPE, digest: DIGEST, size: 2, artifactType: "application/vnd.dev.cosign" },
      { mediaType: MANIFEST_TYPE, digest: OTHER_DIGEST, size: 3, artifactType: "application/spdx+json" },
    ],
  };
  let hasApi = true;
  fake.respondTo("*", (request, response) =>
    request.url === `/v2/app/${hasApi ? `referrers/${OTHER_DIGEST}` : `manifests/${OTHER_DIGEST.replace(":", "-")}`}`
      ? json(response, 200, referrers)
      : json(response, 404, {}),
  );
  for (hasApi of [true, false]) {
    expect(await fake.client().referrers("app", OTHER_DIGEST)).toHaveLength(2);
    expect(await fake.client().referrers("app", OTHER_DIGEST, ["application/spdx+json"])).toEqual([
      { mediaType: MANIFEST_TYPE, digest: OTHER_DIGEST, size: 3, artifactType: "application/spdx+json" },
    ]);
  }
});

test("rejects a next page on another host", async () => {
  fake.handlers[fake.host] = (request, response) =>
    request.url === "/v2/"
      ? json(response, 200, {})
      : json(response, 200, { tags: ["a"] }, { link: '<https://evil.example.net/v2/app/tags/list>; rel="next"' });
  fake.handlers["evil.example.net"] = (_request, response) => json(response, 200, { tags: ["b"] });
  expect(await failure(fake.client().tags("app"))).toMatchObject({ code: "SOURCE_INVALID_RESPONSE" });
  expect(fake.requests).toHaveLength(2);
});
