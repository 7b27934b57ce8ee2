// Images are imported only if they are signed, and only from sources that are allowed.
import type { ResourceValidationPolicy } from "@pulumi/policy";

const IMPORTED_IMAGE = "pulumi-nodejs:dynamic/acr:ImportedImage";

export const signedImports: ResourceValidationPolicy = {
  name: "signed-imports",
  description: "Imported images are verified and come from allowed sources.",
  enforcementLevel: "mandatory",
  configSchema: {
    properties: { sources: { type: "array", items: { type: "string" }, default: ["docker.io/owner"] } },
  },
  validateResource: ({ type, props, getConfig }, report) => {
    if (type !== IMPORTED_IMAGE) return;
    // Only the provider sets it, once it has found a signature that counts.
    if (!props.signedBy) report("The image is not verified: set verify.");
    const { sources } = getConfig<{ sources: string[] }>();
    const source = sourceOf(props.source);
    if (!sources.some((allowed) => source.startsWith(allowed.replace(/\/?$/, "/")))) {
      report(`The source "${source}" is not below ${sources.join(" or ")}.`);
    }
  },
};

/** As the program spells it: `node:22` is not below `docker.io/library`, so that programs write sources in full. */
function sourceOf(source: string | { image: string; registry?: string }): string {
  if (typeof source === "string") return source;
  return source.registry === undefined ? source.image : `${source.registry}/${source.image}`;
}
