/** The policies of examples/policies, by what a resource declares; test/engine/policies.test.ts runs them. */
import type { ResourceValidationArgs, ResourceValidationPolicy } from "@pulumi/policy";
import { pinnedImages } from "../../examples/policies/pinned-images";
import { signedImports } from "../../examples/policies/signed-imports";

const digest = `sha256:${"1".repeat(64)}`;
const pinned = `myregistry.azurecr.io/app:1@${digest}`;

/** What a policy reports. */
function reports(
  { validateResource, configSchema }: ResourceValidationPolicy,
  type: string,
  props: object,
  settings: object = {},
): string[] {
  const found: string[] = [];
  const config = Object.entries(configSchema?.properties ?? {}).map(([name, { default: value }]) => [name, value]);
  const args = { type, props, getConfig: () => ({ ...Object.fromEntries(config), ...settings }) };
  if (typeof validateResource !== "function") throw new Error("the policy is no function");
  void validateResource(args as unknown as ResourceValidationArgs, (message) => found.push(String(message)));
  return found;
}

describe("pinned-images", () => {
  const pod = (image: unknown) => ({ containers: [{ name: "app", image }] });
  const kinds: [string, (image: unknown) => object][] = [
    ["kubernetes:core/v1:Pod", (image) => ({ spec: pod(image) })],
    ["kubernetes:apps/v1:Deployment", (image) => ({ spec: { template: { spec: pod(image) } } })],
    [
      "kubernetes:batch/v1:CronJob",
      (image) => ({ spec: { jobTemplate: { spec: { template: { spec: pod(image) } } } } }),
    ],
    [
      "kubernetes:core/v1:PodTemplate",
      (image) => ({ template: { spec: { ...pod(pinned), initContainers: [{ image }] } } }),
    ],
    ["azure-native:app:ContainerApp", (image) => ({ template: pod(image) })],
    ["azure-native:containerinstance:ContainerGroup", (image) => pod(image)],
  ];

  test.each(kinds)("%s may run what is pinned and from an allowed registry", (type, propsOf) => {
    expect(reports(pinnedImages, type, propsOf(pinned))).toEqual([]);
    expect(reports(pinnedImages, type, propsOf(`myregistry.azurecr.io/team/app@${digest}`))).toEqual([]);
  });

  test.each(kinds)("%s may run nothing else", (type, propsOf) => {
    for (const image of [
      "myregistry.azurecr.io/app:1",
      `app@${digest}`,
      `${pinned}0`,
      pinned.slice(0, -1),
      "",
      undefined,
    ]) {
      const text = expect.stringContaining(`The image "${image ?? ""}" is not pinned`);
      expect(reports(pinnedImages, type, propsOf(image))).toEqual([text]);
    }
    for (const host of ["docker.io", "myregistry.azurecr.io.example.com", "example.com/myregistry.azurecr.io"]) {
      const image = `${host}/app@${digest}`;
      const text = `The image "${image}" is not from myregistry.azurecr.io.`;
      expect(reports(pinnedImages, type, propsOf(image))).toEqual([text]);
    }
  });
});

describe("signed-imports", () => {
  const type = "pulumi-nodejs:dynamic/acr:ImportedImage";
  const signedBy = "sha256:…";

  test.each([
    "docker.io/owner/app:1.4",
    { image: "docker.io/owner/app:1.4" },
    { registry: "docker.io", image: "owner/app:1.4" },
  ])("an image that is signed and from an allowed source passes: %j", (source) => {
    expect(reports(signedImports, type, { source, signedBy })).toEqual([]);
  });

  test.each([
    ["docker.io/owner-2/app:1.4"],
    ["example.com/docker.io/owner/app:1.4"],
    ["owner/app:1.4"],
    [{ registry: "example.azurecr.io", image: "docker.io/owner/app:1.4" }],
  ])("an image from another source is reported: %j", (source) => {
    expect(reports(signedImports, type, { source, signedBy })).toEqual([
      expect.stringMatching(/is not below docker\.io\/owner\./),
    ]);
  });

  test("only allowed signers count, each as a whole", () => {
    const issuer = "https://token.actions.githubusercontent.com";
    const signers = [`https://github\\.com/owner/app/.* \\(${issuer}\\)`, "sha256:1+"];
    const from = (name: string) =>
      reports(signedImports, type, { source: "docker.io/owner/app:1", signedBy: name }, { signers });
    const workflow = "https://github.com/owner/app/.github/workflows/release.yml@refs/tags/v1";
    for (const name of [`${workflow} (${issuer})`, "sha256:1111"]) expect(from(name)).toEqual([]);
    for (const name of [`${workflow} (https://example.com)`, "sha256:11112", "xsha256:1"]) {
      expect(from(name)).toEqual([`The image is signed by "${name}", who is not allowed.`]);
    }
  });

  test("an image without a signature that counts is reported, and other resources are not", () => {
    const props = { source: "docker.io/owner/app:1.4", verify: { cosign: { key: "…" } } };
    expect(reports(signedImports, type, props)).toEqual(["The image is not verified: set verify."]);
    expect(reports(signedImports, "azure-native:app:ContainerApp", props)).toEqual([]);
  });
});
