/** Every failure of the product, built with typical values, under the name of its builder. */
import { azureFailure } from "../../../provider/failure/azure";
import type { Failure } from "../../../provider/failure/failure";
import { importFailure } from "../../../provider/failure/import";
import { registryFailure } from "../../../provider/failure/registry";
import { lookupFailure } from "../../../provider/failure/registry-lookup";
import { repositoryFailure } from "../../../provider/failure/repository";
import { signatureFailure } from "../../../provider/failure/signature";
import { sourceFailure } from "../../../provider/failure/source";
import { targetFailure } from "../../../provider/failure/target";
import { parseArguments } from "../../../provider/resource/arguments";

const groups = {
  registryFailure,
  sourceFailure,
  signatureFailure,
  targetFailure,
  azureFailure,
  lookupFailure,
  importFailure,
  repositoryFailure,
} as const;
type Groups = typeof groups;

/** `group.builder`, for every builder. */
export const builders = Object.entries(groups).flatMap(([group, made]) =>
  Object.keys(made).map((name) => `${group}.${name}`),
);

export interface Sample {
  readonly builder: string;
  readonly failure: Failure;
}

/** For each builder the arguments of one sample or more: complete by its type. */
type SampleArguments = {
  readonly [G in keyof Groups]: {
    readonly [B in keyof Groups[G]]: Groups[G][B] extends (...args: infer A) => Failure ? readonly A[] : never;
  };
};

const SOURCE = "docker.io/library/node:22";
const HOST = "ghcr.io";
const TARGET = "myregistry.azurecr.io";
const TAGGED = `${TARGET}/library/node:22`;
const ID = "/subscriptions/…/registries/myregistry";
const OURS = "sha256:9f86…";
const THEIRS = "sha256:4b1f…";
const SIGNED = `ghcr.io/owner/app@${OURS}`;
const IDENTITY = "service principal 1111… of tenant 2222… (client secret from ARM_CLIENT_SECRET)";

const SAMPLES: SampleArguments = {
  registryFailure: {
    notFound: [
      ["source", "docker.io/library/node:23"],
      ["source", "docker.io/ghcr.io/owner/app:1"],
      ["target", TAGGED],
    ],
    quarantined: [
      ["source", `other.azurecr.io/app@${OURS}`],
      ["target", `${TARGET}/library/node@${OURS}`],
    ],
    credentialsRejected: [
      ["source", HOST, "HTTP 401: unauthorized: bad credentials"],
      ["target", TARGET],
    ],
    accessDenied: [
      ["source", "ghcr.io/owner/app:1", "an anonymous client"],
      ["source", "ghcr.io/owner/app:1", 'user "reader"', "HTTP 403: DENIED: denied"],
      ["source", "ghcr.io/owner/app:1", "this run (no Azure credential configured)"],
      ["target", TAGGED, IDENTITY],
      ["target", TAGGED, IDENTITY, undefined, "untag"],
      ["target", `${TARGET}/library/node@${OURS}`, IDENTITY, undefined, "delete"],
      ["target", TAGGED, IDENTITY, undefined, "lock"],
      ["target", TAGGED, IDENTITY, undefined, "unlock"],
    ],
    networkBlocked: [
      ["source", "other.azurecr.io", "HTTP 403: DENIED: client with IP '203.0.113.7' is not allowed access"],
      ["target", TARGET],
    ],
    tokenServerUntrusted: [
      ["source", "registry.example.com", "https://tokens.example.net"],
      ["target", TARGET, "https://tokens.example.net"],
    ],
    tokenServerWithoutTls: [["source", "registry.example.com", "http://registry.example.com"]],
    redirectDenied: [["source", "oci.example.com", "ghcr.io", "ghcr.io/owner/app:1", "HTTP 403: DENIED: denied"]],
    credentialsNotRequested: [
      ["source", "registry.example.com", "registry.example.com/app:1"],
      ["source", "docker.io", "docker.io/ghcr.io/owner/app:1", "HTTP 403: DENIED: denied"],
    ],
    entraTokenWithheld: [["source", "registry.example.com"]],
    throttled: [
      ["source", "docker.io", 30],
      ["source", "docker.io"],
      ["target", TARGET, 30],
    ],
    unreachable: [
      ["source", "registry.example.com", "no such host (ENOTFOUND)", "ENOTFOUND"],
      ["source", "localhost:5000", "it does not speak TLS (EPROTO)", "EPROTO"],
      ["source", "registry.example.com", "self-signed certificate", "DEPTH_ZERO_SELF_SIGNED_CERT"],
      ["target", TARGET, "connection refused (ECONNREFUSED)", "ECONNREFUSED"],
    ],
    unavailable: [
      ["source", HOST, "HTTP 503"],
      ["target", TARGET, "no response in time"],
    ],
    invalidResponse: [
      ["source", "registry.example.com", "the tag list is not valid JSON"],
      ["target", TARGET, "GET /v2/ returned 404"],
    ],
  },
  sourceFailure: {
    unresolved: [["Invalid state"]],
    moved: [[SOURCE, OURS, THEIRS]],
    platformNotFound: [
      [SOURCE, "linux/s390x", ["linux/amd64", "linux/arm64/v8"]],
      ["ghcr.io/owner/chart:1", "linux/amd64", []],
    ],
    tooManyManifests: [[SOURCE]],
    tooManyReferrers: [[`${SOURCE}@${OURS}`, 50]],
    tooManyTags: [
      ["docker.io/library/node", "has more than 10,000 tags"],
      ["registry.example.com/app", "has too many tags to list them within 60 s"],
    ],
    digestHeaderMissing: [["registry.example.com"]],
    rangeUnsupported: [["registry.example.com/app:1"]],
    exportForbidden: [["other"]],
    unreachableFromAzure: [["registry.example.com"]],
  },
  signatureFailure: {
    missing: [
      [SIGNED, "cosign", ["its referrers", "the tag sha256-9f86….sig"]],
      [SIGNED, "Notation", ["its referrers"]],
    ],
    rejected: [
      [SIGNED, "cosign", [{ digest: "sha256:5a1c…", rejected: "was not made with the key sha256:b03e…" }]],
      [
        SIGNED,
        "cosign",
        [
          { digest: "sha256:5a1c…", rejected: "has no transparency log entry" },
          { digest: "sha256:77d0…", rejected: `signs ${THEIRS}, not this image` },
        ],
      ],
    ],
    unreadable: [
      [SIGNED, "cosign", registryFailure.throttled("source", HOST, 30)],
      [
        SIGNED,
        "Notation",
        registryFailure.accessDenied("source", "ghcr.io/owner/app", "an anonymous client", "HTTP 403"),
      ],
    ],
    tooMany: [["sha256:5a1c…", 120, 50]],
  },
  targetFailure: {
    conflict: [
      [TARGET, [{ target: "library/node:22", holds: THEIRS }], OURS, true],
      [TARGET, [{ target: "library/node:22", holds: THEIRS }], undefined, true],
      [
        TARGET,
        [
          { target: "node:22", holds: THEIRS },
          { target: "node:latest", holds: THEIRS },
        ],
        OURS,
        false,
      ],
    ],
    tagExists: [[TAGGED]],
    declaredTwice: [
      [
        TAGGED,
        [
          { name: "node", digest: OURS },
          { name: "base", digest: THEIRS },
        ],
      ],
    ],
    unreadable: [
      [TARGET, ["library/node:22"]],
      [TARGET, ["node:22", "node:latest"]],
    ],
    notVerified: [
      [TARGET, [{ target: "library/node:22", holds: THEIRS }], OURS],
      [
        TARGET,
        [
          { target: "node:22", holds: undefined },
          { target: "node:latest", holds: THEIRS },
        ],
        undefined,
      ],
    ],
    unreachable: [[TARGET]],
    digestUnknown: [[TARGET]],
    notRemovable: [[TARGET, ["library/node:22"]]],
    notLockable: [
      [TARGET, ["library/node:22"], "lock"],
      [TARGET, ["node:22", "node:latest"], "unlock"],
    ],
    lockNotVerified: [
      [TAGGED, "lock"],
      [TAGGED, "unlock"],
    ],
    locked: [
      [TAGGED, "untag", "HTTP 405: UNSUPPORTED: The operation is unsupported."],
      [TAGGED, "delete"],
    ],
    lockedForImport: [
      [[TAGGED], "myregistry"],
      [[`${TARGET}/library/node`], "myregistry"],
      [[TAGGED, `${TARGET}/library/node:latest`], "myregistry"],
    ],
    quotaExceeded: [["myregistry"]],
  },
  azureFailure: {
    configurationInvalid: [
      [
        "ARM_ENVIRONMENT",
        "is not a known Azure cloud: mars",
        "Use public, usgovernment or china. For any other cloud, set ARM_METADATA_HOSTNAME to its Resource Manager host",
      ],
    ],
    credentialMissing: [
      [
        "the client secret (ARM_CLIENT_SECRET)",
        "requires ARM_TENANT_ID (azure-native:tenantId)",
        "Set ARM_TENANT_ID (azure-native:tenantId)",
      ],
    ],
    credentialRejected: [
      [
        IDENTITY,
        "AADSTS7000222: The provided client secret keys are expired",
        "Create a new client secret: this one has expired",
        "correlation ID 3333…",
      ],
    ],
    permissionDenied: [
      ["target", ID, IDENTITY, "AuthorizationFailed: … (correlation ID 3333…)"],
      ["source", "/subscriptions/…/registries/other", IDENTITY],
    ],
    foreignTenant: [
      ["source", "other.azurecr.io", IDENTITY],
      ["target", ID, IDENTITY],
    ],
    throttled: [["target", "management.azure.com"]],
    unavailable: [
      ["Azure", "login.microsoftonline.com", "could not be reached: connection refused (ECONNREFUSED)"],
      ["target", "management.azure.com", "responded with HTTP 503", "ServiceUnavailable: …"],
    ],
  },
  lookupFailure: {
    notFound: [
      [
        "target",
        ID,
        "its subscription and resource group",
        "Check the resource ID, and that the identity belongs to the tenant of the registry",
      ],
    ],
    notVisible: [
      ["target", "myregistry", IDENTITY, "every subscription that it can read"],
      ["source", "other.azurecr.io", IDENTITY, "every subscription that it can read"],
    ],
    notReady: [["target", ID]],
    ambiguous: [["source", "other", ["/subscriptions/1…/registries/other", "/subscriptions/2…/registries/other"]]],
    skuUnsupported: [["target", "myregistry", "Classic"]],
  },
  importFailure: {
    failed: [
      [SOURCE, TAGGED, "The moon is in the wrong phase", "ImportFailed: … (correlation ID 3333…)"],
      [SOURCE, TAGGED, "Resource Manager responded with HTTP 400"],
    ],
    blobsNotCopied: [[SOURCE, TAGGED]],
    providerNotRegistered: [[TAGGED]],
    softDeleted: [[SOURCE, TAGGED]],
    untraceable: [[SOURCE, TAGGED, "returned no Location header"]],
    networkBlocked: [
      ["source", "other.azurecr.io"],
      ["target", "myregistry"],
    ],
    timedOut: [[SOURCE, TAGGED, 1800]],
    operationTimedOut: [[TAGGED, 1800]],
  },
  repositoryFailure: {
    incomplete: [
      [
        `${TARGET}/library/node`,
        { total: 858, done: 855, failed: 3 },
        [{ tags: ["22", "23"], message: "it failed [IMPORT_FAILED]" }],
        false,
      ],
      [`${TARGET}/library/node`, { total: 858, done: 412, failed: 0 }, [], true],
    ],
    selectionEmpty: [["docker.io/library/node", 3]],
    selectionShrunk: [["docker.io/library/node", ["20.1.0", "20.2.0"], 3]],
    nothingSelected: [["docker.io/library/node"]],
    sameName: [["v1.0", "1.0", "1.0"]],
    notATag: [["v", ""]],
    moreTags: [[{ code: "SOURCE_MOVED", side: "source", object: "docker.io/library/node:22", reason: "has moved" }, 3]],
  },
};

/** Those of the builders; the failures of arguments come from the validation itself. */
export const samples: readonly Sample[] = [
  ...Object.entries(SAMPLES).flatMap(([group, made]) =>
    Object.entries(made as Record<string, readonly unknown[][]>).flatMap(([name, calls]) => {
      const build = (groups[group as keyof Groups] as Record<string, (...args: unknown[]) => Failure>)[name];
      return calls.map((args) => ({
        builder: `${group}.${name}`,
        failure: (build as NonNullable<typeof build>)(...args),
      }));
    }),
  ),
  ...argumentFailures().map((failure) => ({ builder: "parseArguments", failure })),
];

function argumentFailures(): readonly Failure[] {
  const args = { registry: "", source: "node@22", targetTags: ["node"], onDelete: "all", targetTag: [] };
  const parsed = parseArguments(args);
  return "problems" in parsed ? parsed.problems : [];
}
