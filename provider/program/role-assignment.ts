/** Recognises a resource that the program creates after a role assignment, which takes effect some time later. */
import * as pulumi from "@pulumi/pulumi";

/** Of azure-native, in any API version, and of the classic Azure provider. */
const ROLE_ASSIGNMENT =
  /^(azure-native:authorization(\/\w+)?:RoleAssignment|azure:authorization\/assignment:Assignment)$/;

/** Whether a resource depends on a role assignment, or on a component that contains one. */
export function dependsOnRole(
  dependsOn: pulumi.CustomResourceOptions["dependsOn"],
): pulumi.Output<boolean> | undefined {
  if (dependsOn === undefined) return undefined;
  return pulumi.output(dependsOn).apply((resources) => [resources].flat().some(isRoleAssignment));
}

function isRoleAssignment(resource: pulumi.Resource): boolean {
  // Internal in the SDK's types, and the only place that tells the type before the resource is registered.
  const { __pulumiType = "", __childResources = [] } = resource as {
    __pulumiType?: string;
    __childResources?: Iterable<pulumi.Resource>;
  };
  return ROLE_ASSIGNMENT.test(__pulumiType) || [...__childResources].some(isRoleAssignment);
}
