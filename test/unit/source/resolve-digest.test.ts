/** Look-ups of digests, shared within a run. */
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
