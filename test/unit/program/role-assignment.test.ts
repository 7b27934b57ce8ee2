/** Which dependencies make a resource wait for a role assignment. */
import * as pulumi from "@pulumi/pulumi";
import { dependsOnRole } from "../../../provider/program/role-assignment";

class Group extends pulumi.ComponentResource {
  constructor(name: string, childType: string) {
    super("my:access:Group", name);
    resource(childType, this);
  }
}

class Resource extends pulumi.CustomResource {}

let number = 0;

function resource(type: string, parent?: pulumi.Resource): Resource {
  return new Resource(type, `r${++number}`, {}, parent && { parent });
}

beforeAll(() =>
  pulumi.runtime.setMocks({ newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: () => ({}) }),
);

function promiseOf(output: pulumi.Output<boolean> | undefined): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    if (output === undefined) resolve(undefined);
    else output.apply(resolve);
  });
}

const role = "azure-native:authorization:RoleAssignment";

test.each<[string, boolean | undefined, () => pulumi.CustomResourceOptions["dependsOn"]]>([
  ["nothing", undefined, () => undefined],
  ["a role assignment", true, () => resource(role)],
  ["a list with one", true, () => [resource("azure-native:containerregistry:Registry"), resource(role)]],
  ["an output of one", true, () => pulumi.output(resource(role))],
  ["one of a given API version", true, () => [resource("azure-native:authorization/v20220401:RoleAssignment")]],
  ["one of the classic provider", true, () => [resource("azure:authorization/assignment:Assignment")]],
  ["a component that contains one", true, () => [new Group("with", role)]],
  ["a component without one", false, () => [new Group("without", "random:index/randomId:RandomId")]],
  ["a registry", false, () => resource("azure-native:containerregistry:Registry")],
  ["an assignment of a policy", false, () => resource("azure-native:authorization:PolicyAssignment")],
])("depends on %s: %s", async (_, expected, dependsOn) => {
  expect(await promiseOf(dependsOnRole(dependsOn()))).toBe(expected);
});
