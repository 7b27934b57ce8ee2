/** S13 and S14: network rules and geo-replication. */
import { useEmulator } from "../../support/emulator";
import { credentialsOf, registryId, servicePrincipals } from "../../support/fixtures";
import { until } from "../../support/until";
import { imageProgram } from "../programs";
import { imageDigest, Scenario } from "./scenario";

const emulator = useEmulator();

const trust = (networkRuleBypassOptions: "None" | "AzureServices") => ({ networkRuleBypassOptions });

test("S13 network rules: trusted services allow the import, and without them the error names the setting", async () => {
  const scenario = await Scenario.begin(emulator);
  const { control, project } = scenario;
  const blockedMessage = (side: string, name: string) => [
    `${side}: the network rules of ${name}`,
    `az acr update --name ${name} --allow-trusted-services true`,
  ];
  const closed = (side: "source" | "target", name: string) => ({
    code: `${side.toUpperCase()}_NETWORK_BLOCKED`,
    message: blockedMessage(side, name),
  });

  // A source without public access, by resource ID and digest.
  const hidden = await imageDigest(scenario, "privatesource.azurecr.io/aci-helloworld:latest");
  const image = `aci-helloworld@${hidden}`;
  const fromHidden = {
    registry: "myregistry",
    source: { image, registry: registryId("privatesource") },
    targetTags: ["s13:hidden"],
  };
  await scenario.registry("privatesource", trust("None"));
  await scenario.refuses("a source that trusts no services", fromHidden, closed("source", "privatesource"));
  await scenario.registry("privatesource", trust("AzureServices"));
  await scenario.works(fromHidden, hidden);
  // With credentials, Azure does not come as a trusted service.
  const credentials = credentialsOf(servicePrincipals.sourceReader);
  await scenario.grant(servicePrincipals.sourceReader.objectId, "AcrPull", registryId("privatesource"));
  await scenario.refuses(
    "a source without public access, with credentials instead of the resource ID",
    { ...fromHidden, source: { image, registry: "privatesource", credentials }, targetTags: ["s13:stranger"] },
    {
      code: "SOURCE_NETWORK_BLOCKED",
      message: ["source: the network rules of privatesource", "also use its resource ID"],
    },
  );

  // A source for selected addresses, which allow this machine but not Azure.
  const selected = { defaultAction: "Deny", ipRules: ["203.0.113.7"] };
  await scenario.registry("mysourceregistry", { ...selected, ...trust("None") });
  const reference = "mysourceregistry.azurecr.io/aci-helloworld:latest";
  const fromSelected = { registry: "myregistry", source: reference, targetTags: ["s13:selected"] };
  await scenario.refuses("a source for selected addresses", fromSelected, closed("source", "mysourceregistry"));
  await scenario.registry("mysourceregistry", trust("AzureServices"));
  await scenario.works(fromSelected, await imageDigest(scenario, reference));

  // A target without public access.
  await control.call("PUT", "/registries/closedtarget", {}, { publicNetworkAccess: "Disabled", ...trust("None") });
  const hello = await imageDigest(scenario, "docker.io/library/hello-world:latest");
  const intoClosed = {
    registry: "closedtarget",
    source: "docker.io/library/hello-world:latest",
    targetTags: ["s13:closed"],
  };
  await scenario.refuses("a target that trusts no services", intoClosed, closed("target", "closedtarget"));
  expect(await control.digest("closedtarget.azurecr.io/s13:closed")).toBeUndefined();
  await scenario.registry("closedtarget", trust("AzureServices"));
  await scenario.works(intoClosed, hello, { in: "closedtarget.azurecr.io" });
  expect((await project.state()).resource("app").outputs).toMatchObject({
    sourceDigest: hello,
    verifiedBy: "operation",
  });
});

test("S14 geo-replication: a tag that appears late in the replica is neither a failure nor a conflict", async () => {
  const one = await Scenario.begin(emulator);
  const two = await Scenario.begin(emulator);
  const { control } = emulator;
  const source = "docker.io/library/late:1";
  const target = "myregistry.azurecr.io/library/late:1";
  const { digest: first } = await control.moveTag(source);
  const lag = (replicationLagMs: number) => one.registry("myregistry", { replicas: ["eastus"], replicationLagMs });
  const forEver = 3_600_000;
  const program = imageProgram({ registry: "myregistry", source });
  const reads = (status: number) => control.requests({ host: "myregistry.azurecr.io", status, path: "/late/" });

  await lag(forEver);
  await control.clearRequests();
  await one.project.write(program);
  const running = one.project.up();
  await until(async () => (await control.digest(target)) === first);
  // While the replica does not have the tag yet, another stack wants the same and adopts it.
  await two.project.write(program);
  const adopting = two.project.up();
  await until(async () => (await control.imports()).length === 2);
  const misses = (await reads(404)).length;
  await until(async () => (await reads(404)).length > misses + 2);
  await lag(0);
  const [up, other] = await Promise.all([running, adopting]);
  expect([up.exitCode, up.changes]).toEqual([0, { create: 1 }]);
  expect([other.exitCode, other.changes]).toEqual([0, { create: 1 }]);
  expect((await one.project.state()).resource("app").outputs).toMatchObject({
    sourceDigest: first,
    verifiedBy: "digest",
  });

  // After a move the replica shows the old digest for a while.
  const { digest: second } = await control.moveTag(source);
  await lag(forEver);
  await control.clearRequests();
  const moving = one.project.up();
  await until(async () => (await control.digest(target)) === second);
  const old = (await reads(200)).length;
  await until(async () => (await reads(200)).length > old + 1);
  await lag(0);
  const moved = await moving;
  expect([moved.exitCode, moved.changes]).toEqual([0, { update: 1 }]);
  expect(await control.imports()).toHaveLength(1);
  expect((await one.project.state()).resource("app").outputs).toMatchObject({
    sourceDigest: second,
    verifiedBy: "digest",
  });
  expect((await one.project.refresh()).changes).toEqual({ same: 1 });
});
