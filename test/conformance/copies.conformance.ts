/** What tools copy of a signed image, and what `ImportedImage` imports of it. */
import { useEmulator } from "../support/emulator";
import { startRegistry } from "../support/registry";
import { clientPath } from "./clients";
import { copyCommands } from "./copy-commands";
import { Cosign } from "./cosign";
import { Crane } from "./crane";
import { Oras } from "./oras";
import { recordRow } from "./results";
import {
  ATTESTATION,
  type Belongings,
  belongingsAt,
  type Clients,
  COMPLETE,
  pushIndex,
  signEverything,
} from "./signed-image";
import { printTraffic, trafficOf } from "./traffic";

const emulator = useEmulator();
const sources = [
  { title: "referrers API", host: "registry.example.org" },
  { title: "tag schema", host: "distribution.example.com" },
];
/** That of a few manifests and signatures, whatever the size of the image. */
const FEW_BYTES = 200_000;
let clients: Clients;

beforeAll(async () => {
  const crane = await Crane.at(emulator, "myregistry");
  clients = { crane, oras: new Oras(crane.env), cosign: await Cosign.at(crane.env, crane.home) };
  // CNCF distribution has no referrers API.
  const distribution = await startRegistry(clientPath("CONFORMANCE_REGISTRY"));
  await emulator.control.hosts({
    "images.example.com": {},
    "registry.example.org": {},
    "distribution.example.com": distribution.url,
  });
  await pushIndex(clients, "images.example.com/app:1");
  for (const { host } of sources) {
    await crane.run("copy", "images.example.com/app:1", `${host}/app:1`);
    await signEverything(clients, `${host}/app:1`);
  }
});

describe.each(sources)("a signed image, source with $title", ({ title: source, host }) => {
  const from = `${host}/app:1`;
  const slug = source.replace(" ", "-").toLowerCase();

  test("has everything", async () => {
    expect(await belongingsAt(clients, from, from)).toEqual(COMPLETE);
  });

  test.each(copyCommands)("$title", async (command) => {
    const { control } = emulator;
    const { crane, cosign } = clients;
    const to = `myregistry.azurecr.io/${slug}/${command.repository}:1`;
    await control.clearRequests();
    await command.copy({ emulator, crane, publicKey: cosign.publicKey }, from, to);
    const traffic = trafficOf(await control.requests({ from: "client" }));
    const arrived = await belongingsAt(clients, from, to);
    recordRow("copies", source, command.title, ...printBelongings(arrived), ...printTraffic(traffic));

    expect(await crane.digest(to)).toBe(await crane.digest(from));
    if (!command.isComplete) return;
    expect(arrived).toEqual(COMPLETE);
    expect(traffic.bytes).toBeLessThan(FEW_BYTES);
    // With `verify`, the signatures are read.
    if (!command.title.includes("verify")) expect(traffic.blobBytes).toBe(0);
    for (const form of COMPLETE.verified) {
      expect(await cosign.verifyAttestation(to, form, ATTESTATION)).toBe(true);
    }
  });
});

function printBelongings({ index, children, nested, tags, verified }: Belongings): string[] {
  const names = { bundle: "bundle", tag: "`.sig`" };
  const list = (values: readonly string[]) => (values.length === 0 ? "no" : values.join(", "));
  return [
    String(index),
    String(children),
    String(nested),
    list(tags.map((tag) => `\`${tag}\``)),
    list(verified.map((form) => names[form])),
  ];
}
