/** Look-ups of digests, shared within a run. */
import { parseRepositorySource, type RepositorySourceArguments } from "../../../provider/resource/repository-source";
import { parseSource } from "../../../provider/resource/source";
import { DigestResolver } from "../../../provider/source/resolve-digest";
import { shortenWaits } from "../../support/short-waits";
import { type InProcessEmulator, startInProcessEmulator } from "../azure/in-process-emulator";

let emulator: InProcessEmulator;
let resolver: DigestResolver;
beforeAll(async () => {
  emulator = await startInProcessEmulator();
});
beforeEach(async () => {
  const azure = emulator.azure();
  resolver = new DigestResolver(() => azure);
  await emulator.control.clearRequests();
});

const resolve = (source: Parameters<typeof parseSource>[0]) => resolver.resolve(parseSource(source));
const heads = async () => (await emulator.control.requests({ method: "HEAD" })).map(({ host, path }) => host + path);

test("an image is looked up once in a run, however its registry is named, at the same time or later", async () => {
  const { digest } = await emulator.control.image("mysourceregistry.azurecr.io/aci-helloworld:latest");
  const byHost = "mysourceregistry.azurecr.io/aci-helloworld:latest";
  const byName = { image: "aci-helloworld:latest", registry: "mysourceregistry" };
  expect(await resolve(byHost)).toEqual({ digest });
  expect(await Promise.all([resolve(byName), resolve(byHost)])).toEqual([{ digest }, { digest }]);
  expect(await heads()).toEqual(["mysourceregistry.azurecr.io/v2/aci-helloworld/manifests/latest"]);
});

test("other credentials are another look-up", async () => {
  const image = "docker.io/library/hello-world:latest";
  const { digest } = await emulator.control.image(image);
  const credentials = { username: "emulator", password: "dckr_pat_emulator" };
  expect(await Promise.all([resolve(image), resolve({ image, credentials })])).toEqual([{ digest }, { digest }]);
  expect(await heads()).toHaveLength(2);
});

test("a host that is busy is mentioned once, while it is waited for", async () => {
  shortenWaits();
  const logged: string[] = [];
  const patient = new DigestResolver(
    () => emulator.azure(),
    (message) => logged.push(message),
  );
  const busy = { status: 429, headers: { "Retry-After": "4" }, times: 2 };
  await emulator.control.faults({ host: "registry-1.docker.io", method: "HEAD", ...busy });
  const images = ["docker.io/library/hello-world:latest", "docker.io/tensorflow/tensorflow:latest-gpu"];
  const found = await Promise.all(images.map((image) => patient.resolve(parseSource(image))));
  expect(found.map(({ failure }) => failure)).toEqual([undefined, undefined]);
  expect(logged).toEqual(["source: registry-1.docker.io is rate limiting (429/503); retrying for up to 2 minutes"]);
});

test("the next run looks again", async () => {
  const image = "docker.io/library/looked-at:1";
  const before = await emulator.control.moveTag(image);
  expect(await resolve(image)).toEqual({ digest: before.digest });
  const { digest } = await emulator.control.moveTag(image);
  expect(await resolve(image)).toEqual({ digest: before.digest });
  expect(await new DigestResolver(() => emulator.azure()).resolve(parseSource(image))).toEqual({ digest });
});

describe("tags of a repository", () => {
  const list = (source: RepositorySourceArguments) => resolver.listTags(parseRepositorySource(source));
  const requests = async (path: string) =>
    (await emulator.control.requests()).filter((request) => request.path.includes(path));

  test("are listed once in a run, however the registry is named, and with other credentials once more", async () => {
    const { digest } = await emulator.control.image("mysourceregistry.azurecr.io/aci-helloworld:latest");
    const expected = { tags: [{ tag: "latest", digest }] };
    const byHost = "mysourceregistry.azurecr.io/aci-helloworld";
    const byName = { repository: "aci-helloworld", registry: "mysourceregistry" };
    expect(await Promise.all([byHost, byName, byHost].map(list))).toEqual([expected, expected, expected]);
    expect(await requests("_tags")).toHaveLength(1);

    const repository = "docker.io/library/hello-world";
    const credentials = { username: "emulator", password: "dckr_pat_emulator" };
    const lists = await Promise.all([list(repository), list({ repository, credentials }), list("hello-world")]);
    for (const found of lists) expect(found).toEqual({ tags: expect.arrayContaining([{ tag: "latest" }]) });
    expect(await requests("/tags/list")).toHaveLength(2);
  });

  test("have digests in lists of Google's registries", async () => {
    await emulator.control.hosts({ "registry.k8s.io": { tagDigests: true } });
    const { digest } = await emulator.control.moveTag("registry.k8s.io/pause:3.9");
    expect(await list("registry.k8s.io/pause")).toEqual({ tags: [{ tag: "3.9", digest }] });
  });

  test("are resolved one by one, each once, together with the images of resources", async () => {
    const { digest } = await emulator.control.image("docker.io/library/hello-world:latest");
    const source = parseRepositorySource("hello-world");
    const found = await Promise.all([resolver.resolveTag(source, "latest"), resolve("hello-world")]);
    expect(found).toEqual([{ digest }, { digest }]);
    expect(await heads()).toHaveLength(1);
    expect((await resolver.resolveTag(source, "gone")).failure).toMatchObject({
      code: "SOURCE_NOT_FOUND",
      object: "docker.io/library/hello-world:gone",
    });
  });

  test.each<[string, RepositorySourceArguments, string]>([
    ["SOURCE_NOT_FOUND", "mcr.microsoft.com/no/such", "mcr.microsoft.com/no/such"],
    ["SOURCE_ACCESS_DENIED", "docker.io/emulator/private", "an anonymous client"],
    ["REGISTRY_NOT_FOUND", { repository: "app", registry: "nosuchregistry" }, "registry nosuchregistry"],
    ["SOURCE_NETWORK_BLOCKED", "privatesource.azurecr.io/aci-helloworld", "the firewall of privatesource.azurecr.io"],
  ])("%s: %j", async (code, source, object) => {
    expect(await list(source)).toEqual({ failure: expect.objectContaining({ code, object, side: "source" }) });
  });

  test("wait for a registry that is rate limiting", async () => {
    shortenWaits();
    await emulator.control.faults({ host: "mcr.microsoft.com", path: "tags/list", status: 429, times: 2 });
    expect(await list("mcr.microsoft.com/windows/servercore")).toEqual({ tags: [{ tag: "ltsc2019" }] });
    expect((await requests("/tags/list")).map(({ status }) => status)).toEqual([429, 429, 200]);
  });
});
