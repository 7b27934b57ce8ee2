/** Lists of tags, page after page. */
import { failure, invalid, json, useFakeRegistry } from "./fake-registry";

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
  let last = 0;
  fake.respondTo("*", (_request, response) => json(response, 200, {}, { link: `<?last=${++last}>; rel="next"` }));
  expect(await failure(fake.client().tags("app"))).toMatchObject(invalid("the list does not end"));
  expect(last).toBe(1000);
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
