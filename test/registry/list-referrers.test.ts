/** The list of what refers to one manifest: the requests that it costs, and responses that are none or wrong. */
import type { ServerResponse } from "node:http";
import type { Digest } from "../../provider/reference/digest";
import type { ListOptions, ReferrerList } from "../../provider/registry/client";
import { until } from "../support/until";
import { DIGEST, failure, invalid, json, MANIFEST_TYPE, OTHER_DIGEST, sha256, useFakeRegistry } from "./fake-registry";
import { BUNDLE, FakeRepository, INDEX, NOTATION, SBOM } from "./fake-repository";

const fake = useFakeRegistry();
let repository: FakeRepository;
let image: Digest;
/** `sha256-…`, the tag of the image's index. */
let tag: string;

beforeEach(() => {
  repository = new FakeRepository();
  image = repository.image("app");
  tag = image.replace(":", "-");
  fake.respondTo("*", repository.handler);
});

const list = (options: ListOptions = {}, digest = image): Promise<ReferrerList> =>
  fake.client().listReferrers("team/app", digest, options);
const digestsIn = ({ referrers }: ReferrerList) => referrers?.map(({ digest }) => digest);

/** The requests so far, without the ping and the host: `GET referrers/sha256:…`. */
const requests = () => fake.requests.slice(1).map((request) => request.replace(/ .*\/team\/app\//, " "));
const cosignHeads = () => [".sig", ".att", ".sbom"].map((suffix) => `HEAD manifests/${tag}${suffix}`);
const referrersGet = () => `GET referrers/${image}`;

describe("requests", () => {
  test("one GET of the API, and one HEAD for each of cosign's tags", async () => {
    const bundle = repository.referrer(image, BUNDLE);
    const signature = repository.tagged(image, "sig");
    expect(await list()).toEqual({
      referrers: [{ ...repository.entry(bundle), artifactType: BUNDLE }],
      hasApi: true,
      cosignTags: [{ tag: `${tag}.sig`, digest: signature }],
    });
    expect(requests().sort()).toEqual([referrersGet(), ...cosignHeads()].sort());
  });

  test("none for cosign's tags without tags", async () => {
    repository.tagged(image, "sig");
    expect(await list({ tags: false })).toEqual({ referrers: [], hasApi: true, cosignTags: [] });
    expect(requests()).toEqual([referrersGet()]);
  });

  test("one HEAD of the tag on a host that is known to have no API", async () => {
    repository.withoutApi();
    const other = repository.image("other");
    expect(await list({ tags: false })).toEqual({ referrers: [], hasApi: false, cosignTags: [] });
    expect(requests()).toEqual([referrersGet(), `HEAD manifests/${tag}`]);
    fake.requests.length = 1;
    await list({ tags: false });
    await list({ tags: false }, other);
    expect(requests()).toEqual([`HEAD manifests/${tag}`, `HEAD manifests/${other.replace(":", "-")}`]);
  });

  test("one GET of the API for all images that are listed at the same time on a host without it", async () => {
    repository.withoutApi();
    const images = Array.from({ length: 30 }, (_, at) => repository.image(`image ${at}`));
    await Promise.all(images.map((digest) => list({ tags: false }, digest)));
    expect(requests().filter((request) => request.startsWith("GET referrers/"))).toHaveLength(1);
    expect(requests().filter((request) => request.startsWith("HEAD "))).toHaveLength(30);
  });

  test("no GET of the index that is already known", async () => {
    repository.withoutApi();
    const bundle = repository.referrer(image, BUNDLE);
    const index = repository.keepIndex(image);
    expect(await list({ tags: false })).toEqual({
      referrers: [{ ...repository.entry(bundle), artifactType: BUNDLE }],
      hasApi: false,
      index,
      cosignTags: [],
    });
    expect(requests()).toEqual([referrersGet(), `HEAD manifests/${tag}`, `GET manifests/${tag}`]);
    fake.requests.length = 1;
    expect(await list({ tags: false, knownIndex: index })).toEqual({
      referrers: undefined,
      hasApi: false,
      index,
      cosignTags: [],
    });
    expect(requests()).toEqual([`HEAD manifests/${tag}`]);
  });

  test("a GET of the index that has changed since it was known", async () => {
    repository.withoutApi();
    repository.referrer(image, BUNDLE);
    const knownIndex = repository.keepIndex(image);
    repository.referrer(image, SBOM);
    const index = repository.keepIndex(image);
    const found = await list({ tags: false, knownIndex });
    expect(found).toMatchObject({ index });
    expect(found.referrers).toHaveLength(2);
  });
});

describe("the API", () => {
  test("lists page after page, sorted by digest, each manifest once", async () => {
    const all = [BUNDLE, NOTATION, SBOM].map((type) => repository.referrer(image, type));
    const entries = repository.referrersOf(image).reverse();
    repository.api = (response, _digest, url) => {
      const last = url.searchParams.get("last");
      if (last === null) repository.sendList(response, entries.slice(0, 2), { link: '<?last=2>; rel="next"' });
      else repository.sendList(response, entries.slice(1));
    };
    expect(digestsIn(await list({ tags: false }))).toEqual([...all].sort());
    expect(requests()).toEqual([referrersGet(), `${referrersGet()}?last=2`]);
  });

  test("is followed by the link that is complete, so that each character of the header is read once", async () => {
    repository.api = (response, _digest, url) => {
      const link = '<<<no link <?last=2>; rel="next"';
      repository.sendList(response, [], url.searchParams.get("last") === null ? { link } : {});
    };
    await list({ tags: false });
    expect(requests()).toEqual([referrersGet(), `${referrersGet()}?last=2`]);
  });

  test("is found behind another name of the registry", async () => {
    const bundle = repository.referrer(image, BUNDLE);
    fake.respondTo("*", (request, response) =>
      response
        .writeHead(307, { location: `https://backend.example.net${request.url?.replace("/v2/", "/v2/project/")}` })
        .end(),
    );
    fake.handlers["backend.example.net"] = repository.handler;
    expect(digestsIn(await list({ tags: false }))).toEqual([bundle]);
    expect(fake.requests.at(-1)).toBe(`GET backend.example.net/v2/project/team/app/referrers/${image}`);
  });

  test("may send its list as plain JSON, or as JSON without saying so", async () => {
    const bundle = repository.referrer(image, BUNDLE);
    for (const type of ["application/json; charset=utf-8", "text/plain"]) {
      repository.api = (response, digest) =>
        repository.sendList(response, repository.referrersOf(digest), { "content-type": type });
      expect(digestsIn(await list({ tags: false }))).toEqual([bundle]);
    }
  });

  test("is believed: its empty list is not completed by the tag", async () => {
    repository.keepIndex(image, [repository.entry(repository.referrer(image, BUNDLE))]);
    repository.api = (response) => repository.sendList(response, []);
    expect(await list({ tags: false })).toEqual({ referrers: [], hasApi: true, cosignTags: [] });
    expect(requests()).toEqual([referrersGet()]);
  });

  test("lists nothing for entries without a digest", async () => {
    repository.api = (response) =>
      json(response, 200, { manifests: [{ mediaType: MANIFEST_TYPE, digest: "sha256:../../etc" }, null, 7] });
    expect(digestsIn(await list({ tags: false }))).toEqual([]);
  });
});

describe("there is no API where it responds with", () => {
  const page = "<html>Sign in</html>";
  test.each<[string, (response: ServerResponse) => unknown]>([
    ["404", (response) => response.writeHead(404).end("404 page not found")],
    ["404 METHOD_UNKNOWN", (response) => json(response, 404, { errors: [{ code: "METHOD_UNKNOWN" }] })],
    ["400", (response) => response.writeHead(400).end()],
    ["405 UNSUPPORTED", (response) => json(response, 405, { errors: [{ code: "UNSUPPORTED" }] })],
    ["406", (response) => response.writeHead(406).end()],
    ["501", (response) => response.writeHead(501).end()],
    // https://github.com/artifacthub/hub/issues/4785
    ["303 to a web page", (response) => response.writeHead(303, { location: "https://web.example.net/-/v2/" }).end()],
    ["302 to a web page of its own", (response) => response.writeHead(302, { location: "/sign-in" }).end()],
    [
      "302 to an address without TLS",
      (response) => response.writeHead(302, { location: "http://web.example.net/" }).end(),
    ],
    ["a web page", (response) => response.writeHead(200, { "content-type": "text/html" }).end(page)],
  ])("%s, and the host is asked once", async (_what, respond) => {
    const bundle = repository.referrer(image, BUNDLE);
    const index = repository.keepIndex(image);
    repository.api = respond;
    fake.handlers["web.example.net"] = (_request, response) => response.writeHead(429).end();
    expect(await list({ tags: false })).toMatchObject({ index, referrers: [{ digest: bundle }] });
    expect(await list({ tags: false })).toMatchObject({ index });
    expect(requests().filter((request) => request.startsWith("GET referrers/"))).toHaveLength(1);
    expect(fake.requests.filter((request) => !request.includes(fake.host))).toEqual([]);
  });

  test.each(["NAME_UNKNOWN", "MANIFEST_UNKNOWN", "NOT_FOUND"])(
    "404 %s, but another repository may have it",
    async (code) => {
      const bundle = repository.referrer(image, BUNDLE);
      const { api } = repository;
      repository.api = (response) => json(response, 404, { errors: [{ code }] });
      expect(digestsIn(await list({ tags: false }, OTHER_DIGEST))).toEqual([]);
      repository.api = api;
      expect(digestsIn(await list({ tags: false }))).toEqual([bundle]);
    },
  );
});

describe("the tag schema", () => {
  beforeEach(() => repository.withoutApi());

  // https://github.com/oras-project/oras-go/issues/1396
  test("finds nothing where the tag resolves to the subject itself", async () => {
    const index = repository.index([image]);
    repository.tags.set(index.replace(":", "-"), index);
    expect(await list({ tags: false }, index)).toEqual({ referrers: [], hasApi: false, cosignTags: [] });
    expect(requests()).toEqual([`GET referrers/${index}`, `HEAD manifests/${index.replace(":", "-")}`]);
  });

  test("finds nothing under a tag that is no index", async () => {
    repository.tags.set(tag, repository.referrer(image, BUNDLE));
    expect(await list({ tags: false })).toEqual({ referrers: [], hasApi: false, cosignTags: [] });
    expect(requests()).toEqual([referrersGet(), `HEAD manifests/${tag}`]);
  });

  test("reads an index that the registry calls plain JSON", async () => {
    const bundle = repository.referrer(image, BUNDLE);
    const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: repository.referrersOf(image) });
    repository.putBytes(body, "application/json", tag);
    expect(digestsIn(await list({ tags: false }))).toEqual([bundle]);
  });

  test("finds nothing in plain JSON that is no index", async () => {
    repository.putBytes('{"schemaVersion":2}', "application/json", tag);
    expect(await list({ tags: false })).toEqual({ referrers: [], hasApi: false, cosignTags: [] });
  });

  test("shortens a digest that is longer than a tag can be, and such a digest has no cosign tags", async () => {
    const long = `sha512:${"ab".repeat(64)}` as Digest;
    const bundle = repository.put({
      artifactType: BUNDLE,
      subject: { digest: long, mediaType: MANIFEST_TYPE, size: 1 },
    });
    repository.put({ mediaType: INDEX, manifests: [repository.entry(bundle)] }, `sha512-${"ab".repeat(32)}`);
    expect(digestsIn(await list({}, long))).toEqual([bundle]);
    expect(requests().filter((request) => request.includes(".sig"))).toEqual([]);
  });
});

describe("cosign's tags", () => {
  test("are not found where they resolve to the subject itself", async () => {
    repository.tags.set(`${tag}.sig`, image);
    expect((await list()).cosignTags).toEqual([]);
  });

  test("are looked for by GET on a host where HEAD does not find what GET finds", async () => {
    const signature = repository.tagged(image, "sig");
    fake.respondTo("*", (request, response) =>
      request.method === "HEAD" ? json(response, 404, {}) : repository.handler(request, response),
    );
    expect((await list()).cosignTags).toEqual([]);
    expect(await fake.client().head("team/app", image)).toBeDefined();
    expect((await list()).cosignTags).toEqual([{ tag: `${tag}.sig`, digest: signature }]);
  });
});

describe("a failure is never an empty list", () => {
  const on = (kind: "referrers" | "manifests", respond: (response: ServerResponse) => unknown) => {
    if (kind === "manifests") repository.withoutApi();
    fake.respondTo("*", (request, response) =>
      request.url?.includes(`/${kind}/`) ? respond(response) : repository.handler(request, response),
    );
  };
  const cases: [string, (response: ServerResponse) => unknown, string][] = [
    ["401", (response) => json(response, 401, {}), "SOURCE_ACCESS_DENIED"],
    ["403", (response) => json(response, 403, {}), "SOURCE_ACCESS_DENIED"],
    ["429", (response) => response.writeHead(429, { "retry-after": "600" }).end(), "SOURCE_THROTTLED"],
    ["500", (response) => response.writeHead(500).end(), "SOURCE_UNAVAILABLE"],
    ["503", (response) => response.writeHead(503).end(), "SOURCE_UNAVAILABLE"],
    ["a broken connection", (response) => response.destroy(), "SOURCE_UNAVAILABLE"],
    ["409", (response) => json(response, 409, {}), "SOURCE_INVALID_RESPONSE"],
    ["204", (response) => response.writeHead(204).end(), "SOURCE_INVALID_RESPONSE"],
    ["a redirect without Location", (response) => response.writeHead(302).end(), "SOURCE_INVALID_RESPONSE"],
  ];

  test.each(cases)("%s from the API", async (_what, respond, code) => {
    on("referrers", respond);
    expect(await failure(list())).toMatchObject({ code });
    fake.respondTo("*", repository.handler);
    const bundle = repository.referrer(image, BUNDLE);
    expect(digestsIn(await list())).toEqual([bundle]);
  });

  test.each(cases)("%s from the tag schema and cosign's tags", async (_what, respond, code) => {
    on("manifests", respond);
    expect(await failure(list({ tags: false }))).toMatchObject({ code });
    repository.api = (response) => repository.sendList(response, []);
    expect(await failure(list())).toMatchObject({ code });
  });

  test("no connection", async () => {
    fake.handlers = {};
    expect(await failure(list())).toMatchObject({ code: "SOURCE_UNREACHABLE" });
  });

  test.each([
    ["invalid JSON", '{"manifests": ['],
    ["JSON that is no index", "[]"],
    ["an index without manifests", '{"schemaVersion":2}'],
  ])("%s from the API", async (_what, body) => {
    repository.api = (response) => response.writeHead(200, { "content-type": INDEX }).end(body);
    expect(await failure(list())).toMatchObject(invalid("the list of referrers is not an index"));
  });

  test("404 of a host that is not a registry", async () => {
    fake.handlers[fake.host] = (_request, response) => response.writeHead(404).end("<html>");
    expect(await failure(list())).toMatchObject(invalid("GET /v2/ returned HTTP 404"));
  });

  test("an index under the tag without the digest in its header", async () => {
    repository.withoutApi().keepIndex(image, []);
    fake.respondTo("*", (request, response) => {
      if (!request.url?.endsWith(tag)) return repository.handler(request, response);
      const headers = { "content-type": INDEX, "docker-content-digest": DIGEST };
      return response.writeHead(200, headers).end(request.method === "HEAD" ? undefined : '{"manifests":[]}');
    });
    expect(await failure(list())).toMatchObject(invalid(`Docker-Content-Digest is ${DIGEST}`));
  });
});

describe("a list is bounded", () => {
  test("where each page leads to the next", async () => {
    let pages = 0;
    repository.api = (response) => {
      const entries = Array.from({ length: 100 }, (_, at) => ({ digest: sha256(`${pages} ${at}`) }));
      repository.sendList(response, entries, { link: `<?last=${++pages}>; rel="next"` });
    };
    expect(await failure(list({ tags: false }))).toMatchObject(invalid("more than 1000 referrers are listed"));
    expect(pages).toBe(11);
  });

  test("where a page leads to itself", async () => {
    repository.api = (response) => repository.sendList(response, [], { link: '<?last=a>; rel="next"' });
    expect(await failure(list({ tags: false }))).toMatchObject(invalid("the list does not end"));
    expect(requests()).toHaveLength(2);
  });

  test("where an index is long", async () => {
    repository.withoutApi();
    repository.keepIndex(
      image,
      Array.from({ length: 1001 }, (_, at) => ({ digest: sha256(String(at)), mediaType: MANIFEST_TYPE, size: 1 })),
    );
    expect(await failure(list({ tags: false }))).toMatchObject(invalid("more than 1000 referrers are listed"));
  });

  test("where a page is longer than a manifest can be", async () => {
    repository.api = (response) => response.writeHead(200, { "content-type": INDEX }).end(" ".repeat(5 * 1024 * 1024));
    expect(await failure(list({ tags: false }))).toMatchObject(invalid("the body is longer than 4194304 bytes"));
  });

  test("to its host", async () => {
    repository.api = (response) =>
      repository.sendList(response, [], { link: '<https://evil.example.net/v2/team/app/>; rel="next"' });
    fake.handlers["evil.example.net"] = (_request, response) => repository.sendList(response, []);
    expect(await failure(list({ tags: false }))).toMatchObject(invalid("the list continues on another host"));
    expect(fake.requests.filter((request) => request.includes("evil"))).toEqual([]);
  });
});

test("retries nothing beside a request that has failed", async () => {
  const waits: number[] = [];
  const client = fake.client(undefined, { onWait: (_host, ms) => waits.push(ms) });
  repository.api = async (response) => {
    await until(() => waits.length === 3);
    json(response, 403, {});
  };
  let isLimiting = true;
  fake.respondTo("*", (request, response) =>
    isLimiting && request.url?.includes("/manifests/")
      ? response.writeHead(429, { "retry-after": "1" }).end()
      : repository.handler(request, response),
  );
  expect(await failure(client.listReferrers("team/app", image))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
  const sent = requests().length;
  // This one waits as long as those before it would have.
  const last = client.head("team/app", image);
  await until(() => waits.length === 4);
  isLimiting = false;
  await last;
  expect(requests().slice(sent)).toEqual([`HEAD manifests/${image}`, `HEAD manifests/${image}`]);
});

test("stops when the signal aborts, and the others go on", async () => {
  const controller = new AbortController();
  const bundle = repository.referrer(image, BUNDLE);
  const { api } = repository;
  const held: ServerResponse[] = [];
  repository.api = (response) => {
    held.push(response);
    if (held.length === 1) controller.abort(new Error("stop"));
  };
  const stopped = fake.client().listReferrers("team/app", image, { tags: false }, controller.signal);
  const other = list({ tags: false });
  await expect(stopped).rejects.toThrow("stop");
  repository.api = api;
  // The request of the other one may have been sent before.
  for (const response of held.slice(1)) repository.sendList(response, repository.referrersOf(image));
  expect(digestsIn(await other)).toEqual([bundle]);
});
