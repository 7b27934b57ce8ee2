// Images are imported only if they are signed by somebody who may, and only from sources that are allowed.
import type { ResourceValidationPolicy } from "@pulumi/policy";

const IMPORTED_IMAGE = "pulumi-nodejs:dynamic/acr:ImportedImage";

export const signedImports: ResourceValidationPolicy = {
  name: "signed-imports",
  description: "Imported images are verified, and come from allowed signers and sources.",
  enforcementLevel: "mandatory",
  configSchema: {
    properties: {
      sources: { type: "array", items: { type: "string" }, default: ["docker.io/owner"] },
      // Expressions that match all of `signedBy`. By default any signer counts that the program names in verify.
      signers: { type: "array", items: { type: "string" }, default: [".*"] },
    },
  },
  validateResource: ({ type, props, getConfig }, report) => {
    if (type !== IMPORTED_IMAGE) return;
    const { sources, signers } = getConfig<{ sources: string[]; signers: string[] }>();
    // Only the provider sets it, once it has found a signature that counts.
    const { signedBy } = props;
    if (!signedBy) report("The image is not verified: set verify.");
    else if (!signers.some((signer) => new RegExp(`^(?:${signer})$`).test(signedBy))) {
      report(`The image is signed by "${signedBy}", who is not allowed.`);
    }
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
