/**
 * The Azure SDK, loaded where it is first used: it takes 240 ms, which a run that needs nothing from Azure must not pay.
 *
 * `require` and not `import()`, which would load the packages' second, ESM build beside the one that the rest uses.
 */

export function identitySdk(): typeof import("@azure/identity") {
  return require("@azure/identity");
}

export function containerRegistrySdk(): typeof import("@azure/arm-containerregistry") {
  return require("@azure/arm-containerregistry");
}

export function restPipeline(): typeof import("@azure/core-rest-pipeline") {
  return require("@azure/core-rest-pipeline");
}
