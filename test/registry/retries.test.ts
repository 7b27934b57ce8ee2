/** Retries, deadlines and aborts. */
import { CONNECTIONS_PER_HOST } from "../../provider/registry/transport/agents";
import {
  anonymous,
  DIGEST,
  failure,
  json,
  MANIFEST,
  MANIFEST_TYPE,
  openRegistry,
  sendManifest,
  useFakeRegistry,
  user,
} from "./fake-registry";

const fake = useFakeRegistry();

/** Responds with statuses one after another, and then with a manifest. */
const respondWith = (...statuses: [number, Record<string, string>?][]): void => {
  fake.handlers[fake.host] = (request, response) => {
    if (request.url === "/v2/") return json(response, 200, {});
    const [status, headers] = statuses.shift() ?? [200];
    return status === 200 ? sendManifest(response) : response.writeHead(status, headers).end();
  };
};

test("retries after 503, 500 and 429", async () => {
  respondWith([503], [500], [429, { "retry-after": "1" }], [429, { "retry-after": "0" }]);
  const waits: number[] = [];
  const client = fake.client(anonymous, { onWait: (_host, ms) => waits.push(ms) });
  expect((await client.head("app", "1"))?.digest).toBe(DIGEST);
  expect(fake.requests).toHaveLength(6);
  expect(waits).toEqual([expect.any(Number), expect.any(Number)]);
  expect(waits[0]).toBeGreaterThan(1_000);
});

test("does not wait for a Retry-After beyond the deadline", async () => {
  respondWith([429, { "retry-after": "600" }]);
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({
    code: "SOURCE_THROTTLED",
    text: expect.stringContaining("600 s"),
  });
});

test("gives up after three retries of a server error", async () => {
  respondWith([502], [502], [502], [502], [502]);
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({
    code: "SOURCE_UNAVAILABLE",
    text: expect.stringContaining("HTTP 502"),
  });
  expect(fake.requests).toEqual([
    `GET ${fake.host}/v2/`,
    `HEAD ${fake.host}/v2/app/manifests/1`,
    ...Array(4).fill(`GET ${fake.host}/v2/app/manifests/1`),
  ]);
});

test("retries when the connection breaks before or within the response", async () => {
  let broken = 0;
  fake.handlers[fake.host] = (request, response) => {
    if (request.url === "/v2/") return json(response, 200, {});
    if (broken++ === 0) return void request.socket.destroy();
    if (broken === 2) {
      response.writeHead(200, { "content-type": MANIFEST_TYPE, "content-length": MANIFEST.length });
      return void response.write(MANIFEST.slice(0, 10), () => request.socket.destroy());
    }
    return sendManifest(response);
  };
  expect((await fake.client().manifest("app", "1"))?.descriptor.digest).toBe(DIGEST);
  expect(broken).toBe(3);
});

test("counts a delete as done when its response was lost", async () => {
  let deleted = false;
  fake.handlers[fake.host] = (request, response) => {
    if (request.url?.startsWith("/oauth2")) return json(response, 200, { access_token: "t" });
    if (deleted) return json(response, 404, {});
    deleted = true;
    return void request.socket.destroy();
  };
  await fake.client(user, { isAzure: true, side: "target" }).untag("app", "1");
  expect(fake.requests.filter((request) => request.startsWith("DELETE"))).toHaveLength(2);
});

test("ends an aborted look-up at once and lets the others go on", async () => {
  let sendPing = () => {};
  let slow = () => {};
  const slowArrived = new Promise<void>((resolve) => {
    slow = resolve;
  });
  fake.handlers[fake.host] = (request, response) => {
    if (request.url === "/v2/") {
      sendPing = () => json(response, 200, {});
      early.abort(new Error("not needed"));
    } else if (request.url?.endsWith("/slow")) slow();
    else sendManifest(response);
  };
  const client = fake.client();
  const early = new AbortController();
  const late = new AbortController();
  const first = client.head("app", "1", early.signal);
  const second = client.head("app", "slow", late.signal);
  const third = client.head("app", "2");
  await expect(first).rejects.toThrow("not needed");
  sendPing();
  expect((await third)?.digest).toBe(DIGEST);
  await slowArrived;
  late.abort(new Error("too slow"));
  await expect(second).rejects.toThrow("too slow");
});

test("ends an aborted look-up that waits for a connection", async () => {
  let arrived = 0;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  fake.handlers[fake.host] = openRegistry(async (_request, response) => {
    arrived++;
    await released;
    sendManifest(response);
  });
  const client = fake.client();
  const running = Array.from({ length: CONNECTIONS_PER_HOST }, (_, at) => client.head("app", `${at}`));
  while (arrived < CONNECTIONS_PER_HOST) await new Promise(setImmediate);
  const controller = new AbortController();
  const waiting = client.head("app", "waiting", controller.signal);
  const next = client.head("app", "next");
  controller.abort(new Error("not needed"));
  await expect(waiting).rejects.toThrow("not needed");
  release();
  expect(await Promise.all([...running, next])).toHaveLength(CONNECTIONS_PER_HOST + 1);
  expect(fake.requests).not.toContain(`HEAD ${fake.host}/v2/app/manifests/waiting`);
});

test("takes another connection when the server closes idle ones, however many", async () => {
  const used = new WeakSet<object>();
  let closing = false;
  let arrived = 0;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  fake.handlers[fake.host] = openRegistry(async (request, response) => {
    if (closing && used.has(request.socket)) return void request.socket.destroy();
    used.add(request.socket);
    arrived++;
    await released;
    sendManifest(response);
  });
  const client = fake.client();
  const first = Promise.all(Array.from({ length: 8 }, (_, at) => client.head("app", `${at}`)));
  while (arrived < 8) await new Promise(setImmediate);
  release();
  await first;
  closing = true;
  expect((await client.head("app", "again"))?.digest).toBe(DIGEST);
  expect(fake.requests.filter((request) => request.endsWith("/again"))).toHaveLength(9);
});

test("can be aborted while it waits for a retry", async () => {
  respondWith([429, { "retry-after": "60" }]);
  const controller = new AbortController();
  const client = fake.client(anonymous, { onWait: () => controller.abort(new Error("not needed")) });
  await expect(client.head("app", "1", controller.signal)).rejects.toThrow("not needed");
});
