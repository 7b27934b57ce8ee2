// Whatever runs containers names their images by digest, in registries that are allowed.
import type { ResourceValidationPolicy } from "@pulumi/policy";

const PINNED = /^([a-z0-9.-]+(?::\d+)?)\/[^@\s]+@sha256:[0-9a-f]{64}$/;
const LISTS = ["containers", "initContainers", "ephemeralContainers"];

export const pinnedImages: ResourceValidationPolicy = {
  name: "pinned-images",
  description: "Images of containers are pinned by digest and come from allowed registries.",
  enforcementLevel: "mandatory",
  configSchema: {
    properties: { registries: { type: "array", items: { type: "string" }, default: ["myregistry.azurecr.io"] } },
  },
  validateResource: ({ props, getConfig }, report) => {
    const { registries } = getConfig<{ registries: string[] }>();
    for (const image of imagesIn(props)) {
      const [, registry] = PINNED.exec(image) ?? [];
      if (registry === undefined) report(`The image "${image}" is not pinned: expected registry/repository@sha256:…`);
      else if (!registries.includes(registry)) report(`The image "${image}" is not from ${registries.join(" or ")}.`);
    }
  },
};

/** At any depth: pods, deployments and cron jobs of Kubernetes, container apps and container groups of azure-native. */
function imagesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    LISTS.includes(key) && Array.isArray(member) ? member.flatMap(imageOf) : imagesIn(member),
  );
}

function imageOf(container: { image?: string }): string[] {
  return [container.image ?? ""];
}
