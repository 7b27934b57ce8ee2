/** Imports and their failures, against the emulator. */

import { newRegistry } from "acr-emulator";
import { formatFailure } from "../../../provider/failure/failure";
import { CONNECTIONS_PER_HOST } from "../../../provider/registry/transport/agents";
import {
  DATA_IMPORTER,
  otherTenantSubscriptionId,
  registryId,
  servicePrincipals,
  variablesOf,
} from "../../support/fixtures";
import { ARM, HELLO, Imports, type Run, START, textOf } from "./import-run";

const WITHOUT_RIGHTS = variablesOf(servicePrincipals.withoutRights);

const imports = new Imports();

describe("an import", () => {
  test("copies every platform into each target, with one start", async () => {
    const source = await imports.emulator.control.image("docker.io/library/hello-world:latest");
    const digest = source.digest;
    const { outcome } = await imports.run({
      source: { registryUri: "docker.io", sourceImage: `library/hello-world@${digest}` },
      request: { targetTags: ["a/b:1", "c:2"], untaggedTargetRepositories: ["bare"] },
    });
    expect(outcome).toEqual({ state: "succeeded" });
    expect([imports.targetDigest("a/b:1"), imports.targetDigest("c:2")]).toEqual([digest, digest]);
    expect(await imports.requestMethods()).toMatch(/^POST( GET)+$/);
  });

  test("omits an empty list of targets, and supports Force", async () => {
    const tags = { targetTags: ["again:1"] };
    expect((await imports.run({ request: tags })).outcome.state).toBe("succeeded");
    const { digest } = await imports.emulator.control.moveTag("docker.io/library/hello-world:latest");
    expect((await imports.run({ request: { ...tags, mode: "Force" } })).outcome.state).toBe("succeeded");
    expect(imports.targetDigest("again:1")).toBe(digest);
    const bare = { targetTags: [], untaggedTargetRepositories: ["only-bare"] };
    expect((await imports.run({ request: bare })).outcome.state).toBe("succeeded");
  });

  test("into an existing tag is reported as such to the caller", async () => {
    const request = { targetTags: ["taken:1"] };
    await imports.run({ request });
    for (const importErrorsIn of ["message", "details"] as const) {
      imports.emulator.server.state.settings.importErrorsIn = importErrorsIn;
      const { outcome } = await imports.run({ request });
      expect(outcome).toMatchObject({ state: "failed", failure: { code: "TARGET_CONFLICT" } });
      expect(textOf(outcome)).toMatch(
        /the tag taken:1 in myregistry already exists.*\n.*\n.*correlation ID [0-9a-f-]{36}/,
      );
    }
  });
});

describe("a failed import explains", () => {
  const failsWith = async (message: string, given: Run = {}) => {
    await imports.emulator.control.faults({ ...START, import: { failWith: message } });
    const { outcome } = await imports.run(given);
    if (outcome.state !== "failed") throw new Error(`it ended as ${outcome.state}`);
    return outcome.failure;
  };

  test("that the image does not exist", async () => {
    const { outcome } = await imports.run({
      source: { registryUri: "docker.io", sourceImage: "library/hello-world:nosuch" },
    });
    expect(outcome).toMatchObject({ state: "failed", failure: { code: "SOURCE_NOT_FOUND" } });
    expect(textOf(outcome)).toMatch(/^source: docker\.io\/library\/hello-world:nosuch/);
  });

  test("that the quota is exhausted", async () => {
    expect(await failsWith("The registry has exceeded its storage quota.")).toMatchObject({
      code: "TARGET_QUOTA_EXCEEDED",
    });
  });

  test("an unknown message, quoted in the first line", async () => {
    expect((await failsWith("The moon is in the wrong phase.")).reason).toBe("failed: The moon is in the wrong phase");
  });

  test("nothing with a password in it", async () => {
    const credentials = { username: "me", password: "dckr_pat_s3cret" };
    const failure = await failsWith("Login as me:dckr_pat_s3cret failed.", { source: { ...HELLO, credentials } });
    expect(formatFailure(failure)).toContain("[secret]");
    expect(JSON.stringify(failure)).not.toContain("dckr_pat_s3cret");
  });

  test("that the source credentials are wrong", async () => {
    const credentials = { username: "emulator", password: "dckr_pat_wrong" };
    const { outcome } = await imports.run({
      source: { registryUri: "docker.io", sourceImage: "emulator/private:latest", credentials },
    });
    expect(outcome).toMatchObject({
      state: "failed",
      failure: { code: expect.stringMatching(/^SOURCE_(CREDENTIALS_REJECTED|ACCESS_DENIED)$/) },
    });
    expect(JSON.stringify(outcome)).not.toContain("dckr_pat_wrong");
  });

  test("missing permissions on the target, with role, scope and identity", async () => {
    const { outcome } = await imports.run({ env: WITHOUT_RIGHTS });
    expect(outcome).toMatchObject({ state: "failed", failure: { code: "AZURE_PERMISSION_DENIED" } });
    const text = textOf(outcome);
    expect(text).toContain(`target: service principal ${WITHOUT_RIGHTS.ARM_CLIENT_ID}`);
    expect(text).toContain(`${DATA_IMPORTER} on ${imports.target.id}`);
    expect(text).toContain("importImage/action");
  });

  test("missing permissions on the source, with the scope of the source", async () => {
    const { state } = imports.emulator.server;
    const principalId = servicePrincipals.withoutRights.objectId;
    state.roleAssignments.push({ principalId, role: "Contributor", scope: imports.target.id });
    const resourceId = registryId("mysourceregistry");
    const { outcome } = await imports.run({
      env: WITHOUT_RIGHTS,
      source: { resourceId, sourceImage: "aci-helloworld:latest" },
    });
    state.roleAssignments.pop();
    expect(textOf(outcome)).toMatch(
      /^source: service principal dddd.* is not allowed to import from .*\/registries\/mysourceregistry/,
    );
  });

  test("that the source belongs to another tenant", async () => {
    const resourceId = registryId("othertenantsource", otherTenantSubscriptionId);
    const { outcome } = await imports.run({ source: { resourceId, sourceImage: "aci-helloworld:latest" } });
    expect(textOf(outcome)).toMatch(
      /othertenantsource belongs to another tenant.*\n.*login server and pass source\.credentials/,
    );
  });

  test("that the network rules of the source block Azure, and what to allow", async () => {
    const source = imports.registry("privatesource");
    source.networkRuleBypassOptions = "None";
    const { outcome } = await imports.run({
      source: { resourceId: registryId(source.name), sourceImage: "aci-helloworld:latest" },
    });
    source.networkRuleBypassOptions = "AzureServices";
    expect(outcome).toMatchObject({ state: "failed", failure: { code: "SOURCE_NETWORK_BLOCKED" } });
    expect(textOf(outcome)).toContain("az acr update --name privatesource --allow-trusted-services true");
  });

  test("that the network rules of the target block Azure, and what to allow", async () => {
    const closed = newRegistry({
      name: "closedtarget",
      publicNetworkAccess: "Disabled",
      networkRuleBypassOptions: "None",
    });
    imports.emulator.server.state.registries.push(closed);
    const into = {
      ...imports.target,
      id: registryId(closed.name),
      name: "closedtarget",
      loginServer: closed.loginServer,
    };
    const { outcome } = await imports.run({ into });
    expect(outcome).toMatchObject({ state: "failed", failure: { code: "TARGET_NETWORK_BLOCKED" } });
    expect(textOf(outcome)).toContain("az acr update --name closedtarget --allow-trusted-services true");
  });

  test("that the target does not exist", async () => {
    const id = imports.target.id.replace("myregistry", "nosuchregistry");
    const { outcome } = await imports.run({
      into: { ...imports.target, id, name: "nosuchregistry", loginServer: "nosuchregistry.azurecr.io" },
    });
    expect(outcome).toMatchObject({ state: "failed", failure: { code: "REGISTRY_NOT_FOUND" } });
    expect(textOf(outcome)).toMatch(new RegExp(`^target: registry ${id} was not found`));
  });
});

test("a source with public access disabled is imported by resource ID, as a trusted service", async () => {
  const resourceId = registryId("privatesource");
  const { outcome, tag } = await imports.run({ source: { resourceId, sourceImage: "aci-helloworld:latest" } });
  expect(outcome).toEqual({ state: "succeeded" });
  expect(imports.targetDigest(tag)).toBe(
    (await imports.emulator.control.image("privatesource.azurecr.io/aci-helloworld:latest")).digest,
  );
});

test("many concurrent imports need one start each, one token and few connections", async () => {
  const azure = imports.emulator.azure();
  const outcomes = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      azure.importImage(
        imports.target,
        { source: HELLO, targetTags: [`many:${i}`], untaggedTargetRepositories: [], mode: "NoForce" },
        new AbortController().signal,
      ),
    ),
  );
  expect(outcomes.every(({ state }) => state === "succeeded")).toBe(true);
  const requests = await imports.emulator.control.requests({ from: "client" });
  expect(requests.filter(({ method, host }) => method === "POST" && host === ARM)).toHaveLength(40);
  expect(requests.filter(({ host }) => host === "login.microsoftonline.com").length).toBeLessThanOrEqual(2);
  expect(new Set(requests.filter(({ host }) => host === ARM).map(({ tunnel }) => tunnel)).size).toBeLessThanOrEqual(
    CONNECTIONS_PER_HOST,
  );
});
