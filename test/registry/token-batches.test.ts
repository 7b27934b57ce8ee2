/** One token for several repositories. */
import type { ServerResponse } from "node:http";
import { TokenBatches } from "../../provider/registry/token-batches";
import { shortenWaits } from "../support/short-waits";
import { challenge, DIGEST, failure, json, sendManifest, useFakeRegistry, user } from "./fake-registry";

const fake = useFakeRegistry();

/** A token, and the repositories that the registry opens for it. */
interface Grant {
  readonly token: string;
  readonly opens: readonly string[];
}

type Respond = (response: ServerResponse) => unknown;

interface Served {
  /** The repositories of each token request. */
  readonly asked: string[][];
  /** Makes the registry refuse a token for a repository. */
  revoke(token: string, name: string): void;
}

/** How the registry refuses a token. */
let refuse: Respond;
beforeEach(() => {
  refuse = (response) => challenge(response, `Bearer realm="https://${fake.host}/token",error="insufficient_scope"`);
});

/** Serves a registry and its token service, which responds to a request for some repositories. */
function serve(respond: (names: string[]) => Grant | Respond): Served {
  const asked: string[][] = [];
  const opens = new Map<string, readonly string[]>();
  fake.handlers[fake.host] = ({ url = "", headers }, response) => {
    const { pathname, searchParams } = new URL(url, "https://registry");
    if (pathname === "/token") {
      const names = searchParams.getAll("scope").map((scope) => /^repository:(.+):pull$/.exec(scope)?.[1] ?? scope);
      asked.push([...names].sort());
      const reply = respond(names);
      if (typeof reply === "function") return reply(response);
      opens.set(reply.token, reply.opens);
      return json(response, 200, { token: reply.token, expires_in: 300 });
    }
    const [, name = ""] = /^\/v2\/(.+)\/manifests\//.exec(pathname) ?? [];
    const token = headers.authorization?.replace("Bearer ", "");
    if (token === undefined) return challenge(response, `Bearer realm="https://${fake.host}/token"`);
    return opens.get(token)?.includes(name) ? sendManifest(response) : refuse(response);
  };
  const revoke = (token: string, name: string) =>
    opens.set(token, opens.get(token)?.filter((other) => other !== name) ?? []);
  return { asked, revoke };
}

let count = 0;
const jwt = (claims: object) => `${encode({ alg: "none" })}.${encode({ jti: count++, ...claims })}.`;
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
const access = (names: readonly string[], actions = ["pull"]) =>
  names.map((name) => ({ type: "repository", name, actions }));

const readable = (opens: readonly string[]): Grant => ({ token: jwt({ access: access(opens) }), opens });
const opaque = (opens: readonly string[]): Grant => ({ token: `opaque-${count++}`, opens });
const repositories = (many: number) => Array.from({ length: many }, (_, at) => `team/app${at < 10 ? 0 : ""}${at}`);

/** Looks up one image in each repository, all at once. */
const lookUp = (client: ReturnType<typeof fake.client>, names: readonly string[]) =>
  Promise.all(names.map((name) => client.head(name, "1")));

const heads = () => fake.requests.filter((request) => request.startsWith("HEAD")).length;

test.each([
  [1, [1]],
  [10, [10]],
  [20, [20]],
  [21, [20, 1]],
  [100, [20, 20, 20, 20, 20]],
])("%i repositories take %j in a request", async (many, sizes) => {
  for (const grant of [readable, opaque]) {
    const { asked } = serve(grant);
    const names = repositories(many);
    fake.requests.length = 0;
    const found = await lookUp(fake.client(), names);
    expect(found.map((one) => one?.digest)).toEqual(Array(many).fill(DIGEST));
    expect(asked.map(({ length }) => length).sort((one, other) => other - one)).toEqual(sizes);
    expect(asked.flat().sort()).toEqual(names);
    expect(heads()).toBe(many);
    expect(fake.requests.filter((request) => request.endsWith("/v2/")).length).toBeLessThanOrEqual(1);
  }
});

test("a request for one repository is as ever", async () => {
  serve(readable);
  await fake.client().head("app", "1");
  expect(fake.requests).toEqual([
    `GET ${fake.host}/v2/`,
    `GET ${fake.host}/token?scope=repository%3Aapp%3Apull`,
    `HEAD ${fake.host}/v2/app/manifests/1`,
  ]);
});

test("long names take more requests, so that neither request nor token exceeds what servers accept", async () => {
  const { asked } = serve(readable);
  const names = repositories(20).map((name) => `${name}/`.padEnd(255, "a/b"));
  await lookUp(fake.client(), names);
  expect(asked.flat().sort()).toEqual([...names].sort());
  expect(asked.map(({ length }) => length)).toEqual([4, 4, 4, 4, 4]);
  expect(Math.max(...fake.requests.map(({ length }) => length))).toBeLessThan(2_048);
  expect(Math.max(...fake.authorizations.map(({ length }) => length))).toBeLessThan(2_560);
});

describe("a token that says what it is for", () => {
  test.each<[string, claim: object[] | null, served: string[]]>([
    ["the first repository", access(["team/app00"]), ["team/app00"]],
    ["the last repository", access(["team/app02"]), ["team/app02"]],
    ["all but one repository", access(["team/app00", "team/app02"]), ["team/app00", "team/app02"]],
    ["another repository", access(["team/other"]), []],
    ["nothing", [], []],
    ["nothing (null)", null, []],
    ["no action", access(repositories(3), []), []],
    ["another action", access(repositories(3), ["push"]), []],
    ["another type", access(repositories(3)).map((entry) => ({ ...entry, type: "registry" })), []],
  ])("%s: the others ask alone, and so does everybody later", async (_what, claim, served) => {
    const { asked } = serve((names) =>
      names.length > 1 ? { token: jwt({ access: claim }), opens: served } : readable(names),
    );
    const names = repositories(3);
    const client = fake.client();
    await lookUp(client, names);
    expect(asked[0]).toEqual(names);
    expect(asked.slice(1).sort()).toEqual(names.filter((name) => !served.includes(name)).map((name) => [name]));
    expect(heads()).toBe(3);

    asked.length = 0;
    await lookUp(client, ["later/a", "later/b"]);
    expect(asked.sort()).toEqual([["later/a"], ["later/b"]]);
  });

  test("every action: pull, too", async () => {
    const { asked } = serve((names) => ({ token: jwt({ access: access(names, ["*"]) }), opens: names }));
    await lookUp(fake.client(), repositories(3));
    expect(asked).toHaveLength(1);
  });
});

describe("a token that the registry refuses", () => {
  const forms: [string, (names: readonly string[]) => string][] = [
    ["an opaque one", () => `opaque-${count++}`],
    ["a JWT without an access claim", () => jwt({ sub: "anybody" })],
    ["one that claims to be for all", (names) => jwt({ access: access(names) })],
  ];
  test.each(forms)("%s is replaced by one for the repository alone", async (_what, tokenFor) => {
    const { asked } = serve((names) => ({ token: tokenFor(names), opens: names.slice(0, 1) }));
    const names = repositories(5);
    const client = fake.client();
    const found = await Promise.all(names.flatMap((name) => [client.head(name, "1"), client.head(name, "2")]));
    expect(found.map((one) => one?.digest)).toEqual(Array(10).fill(DIGEST));
    expect(asked[0]).toEqual(names);
    expect(asked.slice(1).flat().sort()).toEqual(names.slice(1));
    expect(asked.slice(1).every(({ length }) => length === 1)).toBe(true);
    expect(fake.requests.filter((request) => request.startsWith("GET") && request.includes("/manifests/"))).toEqual([]);

    asked.length = 0;
    await lookUp(client, ["later/a", "later/b"]);
    expect(asked.sort()).toEqual([["later/a"], ["later/b"]]);
  });

  test.each([
    [401, "without a challenge"],
    [403, "without a challenge"],
    [400, "because the header is too long"],
    [431, "because the header is too long"],
  ])("with HTTP %i, %s", async (status) => {
    refuse = (response) => response.writeHead(status).end();
    const { asked } = serve((names) => opaque(names.slice(0, 1)));
    const names = repositories(3);
    const found = await lookUp(fake.client(), names);
    expect(found.map((one) => one?.digest)).toEqual(Array(3).fill(DIGEST));
    expect(asked).toHaveLength(3);
  });

  test("later than before is renewed for one repository; the others keep it", async () => {
    const { asked, revoke } = serve(readable);
    const client = fake.client();
    await lookUp(client, repositories(3));
    const token = fake.authorizations.at(-1)?.replace("Bearer ", "") ?? "";
    revoke(token, "team/app01");
    const found = await lookUp(client, repositories(3));
    expect(found.map((one) => one?.digest)).toEqual(Array(3).fill(DIGEST));
    expect(asked.slice(1)).toEqual([["team/app01"]]);
    await lookUp(client, repositories(3));
    expect(asked).toHaveLength(2);
  });

  test("fails a repository as it would fail alone", async () => {
    const { asked } = serve((names) => opaque(names.filter((name) => name !== "team/app01")));
    const client = fake.client();
    const names = repositories(3);
    const results = await Promise.all(names.map((name) => failure(client.head(name, "1"))));
    expect(results.map(({ code }) => code)).toEqual([undefined, "SOURCE_ACCESS_DENIED", undefined]);
    expect(asked[0]).toEqual(names);
    expect(results[1]).toEqual(await failure(fake.client().head("team/app01", "1")));
  });
});

test("a token that has expired is replaced by one for several repositories again", async () => {
  const { asked } = serve(readable);
  const client = fake.client();
  await lookUp(client, repositories(3));
  const later = Date.now() + 300_000;
  jest.spyOn(Date, "now").mockImplementation(() => later);
  await lookUp(client, repositories(4));
  expect(asked).toEqual([repositories(3), repositories(4)]);
});

describe("a request for several that fails", () => {
  const body = (text: string) => (response: ServerResponse) => response.writeHead(200).end(text);
  const status = (code: number) => (response: ServerResponse) => response.writeHead(code).end();
  const responses: [string, Respond, attempts: number][] = [
    ["HTTP 400", status(400), 1],
    ["HTTP 401", status(401), 1],
    ["HTTP 403", status(403), 1],
    ["HTTP 404", status(404), 1],
    ["HTTP 414", status(414), 1],
    ["HTTP 501", status(501), 1],
    ["a body that is not JSON", body("<html>"), 1],
    ["no token", body("{}"), 1],
    ["a token that is too long for a header", body(JSON.stringify({ token: "t".repeat(7_500) })), 1],
    ["HTTP 500", status(500), 4],
    ["HTTP 503", status(503), 4],
    [
      "a truncated body",
      (response) => response.writeHead(200, { "content-length": 9 }).write("{", () => response.destroy()),
      4,
    ],
  ];
  test.each(responses)("with %s makes each repository ask alone", async (_what, respond, attempts) => {
    shortenWaits();
    const { asked } = serve((names) => (names.length > 1 ? respond : readable(names)));
    const names = repositories(5);
    const client = fake.client();
    await lookUp(client, names);
    // After a fault, one repository tells whether the service works at all.
    const probes = attempts > 1 ? [["team/app00"]] : [];
    const alone = [...probes, ...names.map((name) => [name])];
    expect(asked.filter(({ length }) => length > 1)).toEqual(Array(attempts).fill(names));
    expect(asked.filter(({ length }) => length === 1).sort()).toEqual(alone);
    expect(heads()).toBe(5);

    asked.length = 0;
    await lookUp(client, ["later/a", "later/b"]);
    expect(asked.sort()).toEqual([["later/a"], ["later/b"]]);
  });

  test.each([400, 401, 403])("because of one of 20 (HTTP %i) leaves the others alone", async (code) => {
    const denied = (response: ServerResponse) =>
      json(response, code, { errors: [{ code: "DENIED", message: "requested access to team/app07 is denied" }] });
    const { asked } = serve((names) => (names.includes("team/app07") ? denied : readable(names)));
    const client = fake.client();
    const names = repositories(20);
    const results = await Promise.all(names.map((name) => failure(client.head(name, "1"))));
    expect(results.filter(({ code }) => code !== undefined)).toHaveLength(1);
    expect(asked).toHaveLength(21);
    expect(results[7]).toEqual(await failure(fake.client().head("team/app07", "1")));
    expect(results[7]?.text).toContain("requested access to team/app07 is denied");
  });

  test("because the service is rate limiting is sent again later, for all of them", async () => {
    const busy = (response: ServerResponse) => response.writeHead(429, { "retry-after": "1" }).end();
    const replies: Respond[] = [busy, busy];
    const { asked } = serve((names) => replies.shift() ?? readable(names));
    await lookUp(fake.client(), repositories(20));
    expect(asked).toEqual(Array(3).fill(repositories(20)));
  });

  test.each([429, 503])("with HTTP %i and too long a wait fails them all, and is not multiplied", async (code) => {
    const busy = (response: ServerResponse) => response.writeHead(code, { "retry-after": "600" }).end();
    const { asked } = serve(() => busy);
    const client = fake.client();
    const results = await Promise.all(repositories(20).map((name) => failure(client.head(name, "1"))));
    const alone = await failure(fake.client().head("team/app00", "1"));
    expect(alone.code).toBe(code === 429 ? "SOURCE_THROTTLED" : "SOURCE_UNAVAILABLE");
    expect(results).toEqual(Array(20).fill(alone));
    expect(asked.length).toBeLessThanOrEqual(3);
  });

  test("because the service is down fails them all, and is not multiplied", async () => {
    shortenWaits();
    const { asked } = serve(() => (response) => response.writeHead(500).end());
    const client = fake.client();
    const results = await Promise.all(repositories(20).map((name) => failure(client.head(name, "1"))));
    expect(results).toEqual(Array(20).fill(await failure(fake.client().head("team/app00", "1"))));
    expect(asked.filter(({ length }) => length > 1)).toHaveLength(4);
    expect(asked).toHaveLength(12);
  });

  test("because the service cannot be reached fails them all", async () => {
    fake.handlers[fake.host] = (_request, response) => challenge(response, 'Bearer realm="https://auth.example.net/"');
    const client = fake.client();
    const results = await Promise.all(repositories(20).map((name) => failure(client.head(name, "1"))));
    expect(new Set(results.map(({ code }) => code))).toEqual(new Set(["SOURCE_UNREACHABLE"]));
    expect(fake.requests).toEqual([`GET ${fake.host}/v2/`]);
    expect(fake.proxyAuthorizations).toHaveLength(2);
  });
});

test("a look-up that is aborted leaves the others alone", async () => {
  const controller = new AbortController();
  const { asked } = serve((names) => {
    controller.abort(new Error("not needed"));
    return readable(names);
  });
  const client = fake.client();
  const aborted = client.head("team/app00", "1", controller.signal);
  const others = ["team/app01", "team/app02"].map((name) => client.head(name, "1"));
  await expect(aborted).rejects.toThrow("not needed");
  expect((await Promise.all(others)).map((one) => one?.digest)).toEqual([DIGEST, DIGEST]);
  expect(asked).toEqual([["team/app00", "team/app01", "team/app02"]]);
});

test.each([
  ["credentials", user, {}],
  ["an Azure registry", undefined, { isAzure: true }],
])("%s: one token for each repository", async (_what, credential, options) => {
  const { asked } = serve(readable);
  fake.handlers[fake.host] = ((registry) => (request, response) => {
    request.url = request.url?.replace("/oauth2/token", "/token");
    return registry?.(request, response);
  })(fake.handlers[fake.host]);
  await lookUp(fake.client(credential, options), repositories(3));
  expect(asked.sort()).toEqual(repositories(3).map((name) => [name]));
});

test("an action other than pull: a token for one repository", async () => {
  const { asked } = serve(readable);
  const client = fake.client();
  await Promise.all(["a", "b"].map((name) => failure(client.deleteManifest(name, DIGEST))));
  expect(asked.every(({ length }) => length === 1)).toBe(true);
  expect(asked.length).toBeGreaterThanOrEqual(2);
});

describe("what is asked for in one turn of the event loop", () => {
  const options = { deadline: 0 };
  const service = (host: string, name: string) => ({ realm: new URL(`https://${host}/`), service: name });
  const setUp = () => {
    const asked: string[] = [];
    const batches = new TokenBatches(async ({ realm, service }, scopes) => {
      asked.push([realm.host, service, ...scopes.map(({ repository }) => repository)].join(" "));
      return { value: "token", expires: Number.POSITIVE_INFINITY };
    });
    return { asked, batches };
  };

  test("is in one request, however many promises the callers wait for", async () => {
    const { asked, batches } = setUp();
    const ask = async (promises: number) => {
      for (let at = 0; at < promises; at++) await undefined;
      return batches.get(service("auth.example", "s"), { repository: `app${promises}`, actions: "pull" }, options);
    };
    await Promise.all([0, 1, 10, 100].map(ask));
    expect(asked).toEqual(["auth.example s app0 app1 app10 app100"]);
  });

  test("is in one request for each token service", async () => {
    const { asked, batches } = setUp();
    const services = [service("auth.example", "one"), service("auth.example", "two"), service("other.example", "one")];
    const ask = (repository: string) =>
      services.map((each) => batches.get(each, { repository, actions: "pull" }, options));
    await Promise.all(["a", "b"].flatMap(ask));
    expect(asked).toEqual(["auth.example one a b", "auth.example two a b", "other.example one a b"]);
  });
});
