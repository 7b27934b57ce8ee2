/** S4 to S7: sources in Azure registries of the same tenant. */
import { useEmulator } from "../../support/emulator";
import { DATA_IMPORTER, digestOf, registryId, secondSubscriptionId, subscriptionId } from "../../support/fixtures";
import { declareImages, imageProgram } from "../programs";
import { withoutAzure } from "../without-azure";
import { asIdentity, imageDigest, Scenario } from "./scenario";

const emulator = useEmulator();

const graphQuestions = () => emulator.control.requests({ method: "POST", path: "Microsoft.ResourceGraph" });

test("S4 another registry of the same subscription, by login server", async () => {
  const scenario = await Scenario.begin(emulator);
  const source = "mysourceregistry.azurecr.io/aci-helloworld:latest";
  const args = { registry: "myregistry", source, targetTags: ["s4/aci-helloworld:latest"] };
  await scenario.refuses("no Azure identity", args, {
    code: "AZURE_CREDENTIAL_MISSING",
    message: ["az login", "ARM_CLIENT_ID"],
    env: withoutAzure,
  });
  await emulator.control.clearRequests();
  await scenario.works(args, await imageDigest(scenario, source));
  // Azure reads the source with the identity of the caller.
  expect(await emulator.control.requests({ from: "azure", path: "/oauth2/exchange" })).not.toEqual([]);
  expect(await graphQuestions()).toEqual([]);
});

test("S5 another registry with public access disabled, by resource ID", async () => {
  const scenario = await Scenario.begin(emulator);
  const { control } = scenario;
  const reference = "privatesource.azurecr.io/aci-helloworld:latest";
  const digest = await imageDigest(scenario, reference);
  const privatesource = registryId("privatesource");
  const target = (tag: string) => ({ registry: "myregistry", targetTags: [`s5:${tag}`] });

  // A tag must be resolved, and this machine cannot read it.
  await control.clearRequests();
  const byTag = { image: "aci-helloworld:latest", registry: privatesource };
  await scenario.refuses(
    "by tag, from outside its network",
    { ...target("refused"), source: byTag },
    {
      code: "SOURCE_NETWORK_BLOCKED",
      message: [
        "source: the firewall of privatesource.azurecr.io blocks this machine",
        "pin the digest (repo@sha256:…)",
        'source.digestFrom: "target"',
        "run where it can be reached",
      ],
    },
  );
  expect(await control.imports()).toEqual([]);

  await scenario.works(
    { ...target("digest"), source: { image: `aci-helloworld@${digest}`, registry: privatesource } },
    digest,
  );
  // Beyond `az`: the login server works too, since it is resolved to a resource ID.
  await scenario.works({ ...target("host"), source: `privatesource.azurecr.io/aci-helloworld@${digest}` }, digest);

  const { project } = await Scenario.begin(emulator);
  const fromTarget = { ...byTag, digestFrom: "target" };
  await project.write(imageProgram({ ...target("latest"), source: fromTarget }));
  const first = await project.up();
  expect([first.exitCode, first.changes]).toEqual([0, { create: 1 }]);
  expect((await project.state()).resource("app").outputs).toMatchObject({ sourceDigest: digest, verifiedBy: "digest" });
  expect(await control.digest("myregistry.azurecr.io/s5:latest")).toBe(digest);

  await control.clearRequests();
  const { digest: moved } = await control.moveTag(reference);
  const second = await project.up({ env: withoutAzure });
  expect([second.exitCode, second.changes]).toEqual([0, { same: 1 }]);
  expect(await control.requests()).toEqual([]);

  await project.write(imageProgram({ ...target("latest"), source: fromTarget, triggers: ["release 2"] }));
  const preview = await project.preview();
  expect([preview.exitCode, preview.changes]).toEqual([0, { update: 1 }]);
  const third = await project.up();
  expect([third.exitCode, third.changes]).toEqual([0, { update: 1 }]);
  expect(await control.imports()).toHaveLength(1);
  expect(await control.digest("myregistry.azurecr.io/s5:latest")).toBe(moved);
  expect((await project.state()).resource("app").outputs?.sourceDigest).toBe(moved);
  expect(await control.requests({ from: "client", host: "privatesource.azurecr.io" })).toEqual([]);
});

test("S5 an existing tag at the first import is a conflict, even when it holds the same image", async () => {
  const scenario = await Scenario.begin(emulator);
  const source = {
    image: "aci-helloworld:latest",
    registry: registryId("privatesource"),
    digestFrom: "target",
  };
  const args = { registry: "myregistry", source, targetTags: ["s5/held:latest"] };
  const digest = await imageDigest(scenario, "privatesource.azurecr.io/aci-helloworld:latest");
  await scenario.works(args, digest);

  const other = await Scenario.begin(emulator);
  await other.refuses("a tag that nobody recorded", args, {
    code: "TARGET_CONFLICT",
    message: ["target: myregistry.azurecr.io/s5/held:latest holds", 'onConflict: "overwrite"'],
  });
  await emulator.control.clearRequests();
  await other.works({ ...args, onConflict: "overwrite" }, digest);
  expect(await emulator.control.imports()).toHaveLength(1);
});

test("S6 an Azure registry by manifest digest, with a tag and without", async () => {
  const scenario = await Scenario.begin(emulator);
  const digest = await imageDigest(scenario, "mysourceregistry.azurecr.io/aci-helloworld:latest");
  const source = `mysourceregistry.azurecr.io/aci-helloworld@${digest}`;
  await scenario.refuses(
    "a digest without a name for the target",
    { registry: "myregistry", source },
    { code: "INVALID_ARGUMENT", message: ["source: ", "targetTags", "untaggedTargetRepositories"] },
  );
  await scenario.refuses(
    "a digest that is not there",
    { registry: "myregistry", source: source.replace(digest, digestOf("0")), targetTags: ["s6:gone"] },
    {
      code: "SOURCE_NOT_FOUND",
      message: ["source: mysourceregistry/aci-helloworld@sha256:000", "Check the repository and the tag"],
    },
  );
  await emulator.control.clearRequests();
  await scenario.works({ registry: "myregistry", source, targetTags: ["s6:1"] }, digest);
  expect(await emulator.control.requests({ from: "client", host: "mysourceregistry.azurecr.io" })).toEqual([]);

  await scenario.project.write(
    imageProgram({ registry: "myregistry", source, untaggedTargetRepositories: ["s6-untagged"] }),
  );
  expect((await scenario.project.up()).exitCode).toBe(0);
  expect(await imageDigest(scenario, `myregistry.azurecr.io/s6-untagged@${digest}`)).toBe(digest);
  const { store } = emulator.server.state.registries.find(({ name }) => name === "myregistry") ?? {};
  expect(store?.tags("s6-untagged")).toEqual([]);
});

test("S7 another subscription, by resource ID and by login server, with one search per run", async () => {
  const scenario = await Scenario.begin(emulator);
  const { control, project } = scenario;
  const source = "othersubsource.azurecr.io/aci-helloworld:latest";
  const digest = await imageDigest(scenario, source);
  const { digest: second } = await control.moveTag("othersubsource.azurecr.io/samples/second:1");
  const image = (tag: string, from: unknown) => ({ registry: "myregistry", source: from, targetTags: [`s7:${tag}`] });

  // This identity sees only its own subscription, like `az` without --registry.
  const nearby = "12121212-0000-4000-8000-00000000000f";
  const env = await asIdentity(scenario, nearby);
  await scenario.grant(nearby, "Contributor", `/subscriptions/${subscriptionId}`);
  await scenario.refuses("an identity that does not see the other subscription", image("refused", source), {
    code: "REGISTRY_NOT_FOUND",
    message: [
      "source: registry othersubsource.azurecr.io is not visible to service principal",
      `searched subscription ${subscriptionId} and every other that it can read`,
      "use its resource ID",
      "source.credentials",
    ],
    env,
  });
  await scenario.refuses(
    "the resource ID without rights on it",
    image("refused", {
      image: `aci-helloworld@${digest}`,
      registry: registryId("othersubsource", secondSubscriptionId),
    }),
    {
      code: "AZURE_PERMISSION_DENIED",
      message: ["source: ", registryId("othersubsource", secondSubscriptionId), DATA_IMPORTER],
      env,
    },
  );

  await control.clearRequests();
  await project.write(
    declareImages({
      byId: image("id", {
        image: "aci-helloworld:latest",
        registry: registryId("othersubsource", secondSubscriptionId),
      }),
      byHost: image("host", source),
      another: image("second", "othersubsource.azurecr.io/samples/second:1"),
    }),
  );
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 3 }]);
  expect(await imageDigest(scenario, "myregistry.azurecr.io/s7:id")).toBe(digest);
  expect(await imageDigest(scenario, "myregistry.azurecr.io/s7:host")).toBe(digest);
  expect(await imageDigest(scenario, "myregistry.azurecr.io/s7:second")).toBe(second);
  expect(await graphQuestions()).toHaveLength(1);

  // A bare name works too; an unchanged run only looks up that registry.
  await project.write(
    declareImages({ byName: image("name", { image: "aci-helloworld:latest", registry: "othersubsource" }) }),
  );
  expect((await project.up()).exitCode).toBe(0);
  expect(await imageDigest(scenario, "myregistry.azurecr.io/s7:name")).toBe(digest);
});
