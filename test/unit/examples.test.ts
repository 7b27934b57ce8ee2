/** The example with azure-native under Pulumi's mocks, as users test their programs: no engine, no network. */
import * as pulumi from "@pulumi/pulumi";

const digest = `sha256:${"1".repeat(64)}`;
const registered = new Map<string, Record<string, unknown>>();

test("examples/new-registry passes the registry's ID to the image, and the image's reference to the app", async () => {
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      registered.set(type, inputs);
      const reference = `${inputs.registry}/library/hello-world@${digest}`;
      return { id: `${name}-id`, state: { name, ...inputs, ...(type.endsWith(":ImportedImage") && { reference }) } };
    },
    call: () => ({ objectId: "me", subscriptionId: "subscription", clientId: "", tenantId: "" }),
  });
  const { image } = require("../../examples/new-registry") as { image: pulumi.Output<string> };
  await new Promise((resolve) => image.apply(resolve));
  await pulumi.runtime.disconnect();
  expect(registered.get("azure-native:app:ContainerApp")).toMatchObject({
    template: { containers: [{ image: `registry-id/library/hello-world@${digest}` }] },
  });
  expect(registered.get("azure-native:authorization:RoleAssignment")).toMatchObject({
    scope: "registry-id",
    roleDefinitionId: expect.stringMatching("^/subscriptions/subscription/providers/Microsoft.Authorization/"),
  });
});
