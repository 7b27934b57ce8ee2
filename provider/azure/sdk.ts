/**
 * Loads the Azure SDK at its first use: that takes 240 ms, which a run that needs nothing from Azure must not pay.
 *
 * By `require`, because `import()` would load the ESM build of the packages beside the one that they require themselves.
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
