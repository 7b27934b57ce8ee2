/** Lists of tags, page after page, and the digests in some of them. */
import {
  challenge,
  DIGEST,
  failure,
  type Handler,
  invalid,
  json,
  OTHER_DIGEST,
  openRegistry,
  tokenService,
  useFakeRegistry,
  user,
  withTokenService,
} from "./fake-registry";

const fake = useFakeRegistry();
const list = (limit = 1000) => fake.client().listTags("app", limit);

/** Responds with two pages. */
const pages =
  (first: object, second: object, link = '</v2/app/tags/list?n=2&last=2>; rel="next"'): Handler =>
  (request, response) =>
    new URL(request.url ?? "", "https://x").searchParams.has("last")
      ? json(response, 200, second)
      : json(response, 200, first, { link });

afterEach(() => jest.restoreAllMocks());

test("reads tags page after page, each tag once, and nothing that is no tag", async () => {
  fake.respondTo("*", pages({ tags: ["1", "2"] }, { tags: ["2", "3", 4, null, "../..", "a b", ""] }));
  expect(await list()).toEqual([{ tag: "1" }, { tag: "2" }, { tag: "3" }]);
  expect(fake.requests).toEqual(
    ["/v2/", "/v2/app/tags/list?n=1000", "/v2/app/tags/list?n=2&last=2"].map((path) => `GET ${fake.host}${path}`),
  );
});

test("an empty repository can have null for its tags", async () => {
  fake.respondTo("*", (_request, response) => json(response, 200, { name: "app", tags: null }));
  expect(await list()).toEqual([]);
});

test("a repository that does not exist has no list", async () => {
  fake.respondTo("*", (_request, response) => json(response, 404, { errors: [{ code: "NAME_UNKNOWN" }] }));
  expect(await list()).toBeUndefined();
});

test("takes digests from the map of Google's registries, if they are digests", async () => {
  const manifest = {
    [DIGEST]: { tag: ["1", "latest"], mediaType: "m" },
    [OTHER_DIGEST]: { tag: [] },
    "sha256:short": { tag: ["2"] },
    [`sha512:${"0".repeat(128)}`]: { tag: ["3"] },
    ["sha256:".padEnd(71, "F")]: { tag: "4" },
    none: null,
  };
  fake.respondTo("*", pages({ tags: ["1", "2", "3"], manifest }, { tags: ["4", "latest"], manifest }));
  expect(await list()).toEqual([
    { tag: "1", digest: DIGEST },
    ...["2", "3", "4"].map((tag) => ({ tag })),
    { tag: "latest", digest: DIGEST },
  ]);
});

test("stops at a list of pages that does not end", async () => {
  fake.respondTo("*", (_request, response) => json(response, 200, { tags: ["1"] }, { link: '<?n=1>; rel="next"' }));
  expect(await failure(list())).toMatchObject(invalid("the list does not end"));
  let last = 0;
  fake.respondTo("*", (_request, response) => json(response, 200, {}, { link: `<?last=${++last}>; rel="next"` }));
  expect(await failure(list())).toMatchObject(invalid("the list does not end"));
  expect(last).toBe(1000);
});

test("stops at the first page that exceeds the limit", async () => {
  fake.respondTo("*", pages({ tags: ["1", "2"] }, { tags: ["3"] }));
  expect(await list(3)).toHaveLength(3);
  fake.requests.length = 0;
  expect(await failure(list(1))).toMatchObject({
    code: "SOURCE_TOO_MANY_TAGS",
    text: `source: ${fake.host}/app has more than 1 tags [SOURCE_TOO_MANY_TAGS]
  Hint: Name the tags that you need instead of selecting them`,
  });
  expect(fake.requests).toHaveLength(1);
});

test("stops when the pages take more than a minute", async () => {
  const now = Date.now();
  const clock = jest.spyOn(Date, "now").mockReturnValue(now);
  fake.respondTo("*", (request, response) => {
    if (request.url?.includes("last=")) clock.mockReturnValue(now + 60_001);
    pages({ tags: ["1", "2"] }, { tags: ["3"] })(request, response);
  });
  expect(await failure(list())).toMatchObject({
    code: "SOURCE_TOO_MANY_TAGS",
    text: expect.stringContaining("has too many tags to list them within 60 s"),
  });
});

test.each<[string, unknown, string]>([
  ["no list", { tags: "1" }, "the list of tags is not a list"],
  ["no object", [], "the list is not valid JSON"],
])("rejects %s", async (_title, body, reason) => {
  fake.respondTo("*", (_request, response) => json(response, 200, body));
  expect(await failure(list())).toMatchObject(invalid(reason));
});

test("rejects a next page on another host", async () => {
  fake.handlers[fake.host] = openRegistry(
    pages({ tags: ["a"] }, {}, '<https://evil.example.net/v2/app/tags/list?last=a>; rel="next"'),
  );
  fake.handlers["evil.example.net"] = (_request, response) => json(response, 200, { tags: ["b"] });
  expect(await failure(list())).toMatchObject(invalid("the list continues on another host"));
  expect(fake.requests).toHaveLength(2);
});

describe("behind a redirect, as that of registry.k8s.io", () => {
  const STORE = "store.example.net";
  beforeEach(() => {
    fake.handlers[fake.host] = openRegistry((request, response) =>
      response.writeHead(307, { location: `https://${STORE}${request.url?.replace("/v2/", "/v2/project/")}` }).end(),
    );
  });

  test("the first host is asked for further pages", async () => {
    fake.handlers[STORE] = pages({ tags: ["1"] }, { tags: ["2"] }, '</v2/project/app/tags/list?last=1>; rel="next"');
    expect(await list()).toEqual([{ tag: "1" }, { tag: "2" }]);
    expect(fake.requests.slice(1)).toEqual([
      `GET ${fake.host}/v2/app/tags/list?n=1000`,
      `GET ${STORE}/v2/project/app/tags/list?n=1000`,
      `GET ${fake.host}/v2/app/tags/list?last=1`,
      `GET ${STORE}/v2/project/app/tags/list?last=1`,
    ]);
  });

  test("another list is another host's", async () => {
    fake.handlers[STORE] = pages({ tags: ["1"] }, { tags: ["2"] }, '</v2/other/app/tags/list?last=1>; rel="next"');
    expect(await failure(list())).toMatchObject(invalid("the list continues on another host"));
  });
});

describe("of an Azure registry", () => {
  const azure = () => fake.client(user, { isAzure: true }).listTags("app", 1000);
  const respond = (handler: Handler) => {
    fake.handlers[fake.host] = withTokenService(tokenService({ access_token: "good" }), (request, response) =>
      request.url?.startsWith("/oauth2/token")
        ? json(response, 200, { access_token: "good" })
        : handler(request, response),
    );
  };
  const requested = () =>
    fake.requests.filter((one) => !one.includes("/oauth2/")).map((one) => one.split(fake.host)[1]);

  test("takes digests from Azure's own list", async () => {
    const link = '</acr/v1/app/_tags?n=2&last=2>; rel="next"';
    const first = [
      { name: "1", digest: DIGEST },
      { name: "2", digest: "sha256:1" },
    ];
    respond(
      pages({ tags: first }, { tags: [{ name: "3" }, { name: "..", digest: DIGEST }, { digest: DIGEST }, 4] }, link),
    );
    expect(await azure()).toEqual([{ tag: "1", digest: DIGEST }, { tag: "2" }, { tag: "3" }]);
    expect(requested()).toEqual(["/acr/v1/app/_tags?n=100", "/acr/v1/app/_tags?n=2&last=2"]);
  });

  test.each([401, 403])("takes the names from the OCI list where it is denied (%s)", async (status) => {
    respond((request, response) => {
      if (request.url?.startsWith("/v2/")) json(response, 200, { tags: ["1"] });
      else if (status === 401) challenge(response, 'Bearer realm="https://evil.example.net",service="evil"');
      else json(response, 403, { errors: [{ code: "DENIED" }] });
    });
    expect(await azure()).toEqual([{ tag: "1" }]);
    expect(requested().at(-1)).toBe("/v2/app/tags/list?n=1000");
  });

  test("a repository that does not exist has no list, without a second request", async () => {
    respond((_request, response) => json(response, 404, { errors: [{ code: "NAME_UNKNOWN" }] }));
    expect(await azure()).toBeUndefined();
    expect(requested()).toHaveLength(1);
  });
});
