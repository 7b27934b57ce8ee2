/** Explanations of the error messages of the import service. */
import { createHttpHeaders } from "@azure/core-rest-pipeline";
import { explainImportFailure, type ImportSubject } from "../../../provider/azure/import-failure";
import { formatFailure } from "../../../provider/failure/failure";
import { DATA_IMPORTER, registryId, secondSubscriptionId } from "../../support/fixtures";

const TARGET_ID = registryId("myregistry");
const SOURCE_ID = registryId("cscm1hacr002", secondSubscriptionId, "other");
const CORRELATION = "c0ffee00-0000-4000-8000-000000000000";

const subject: ImportSubject = {
  source: "cscm1hacr002.azurecr.io/lido/sms:1.0.0",
  sourceHost: "cscm1hacr002.azurecr.io",
  reader: "anyone without credentials",
  hasCredentials: false,
  target: "myregistry.azurecr.io/hello-world:v3",
  targetName: "myregistry",
  targetId: TARGET_ID,
  identity: "service principal 4444 (client secret from ARM_CLIENT_SECRET), tenant 1111",
};

function answer(message: string, { status = 400, code = "InvalidParameters", inDetails = false } = {}) {
  const inner = { code, message };
  const error = inDetails ? { code: "Failed", message: "The import operation failed.", details: [inner] } : inner;
  return {
    status,
    headers: createHttpHeaders({ "x-ms-correlation-request-id": CORRELATION }),
    body: JSON.stringify({ error }),
  };
}

const meaning = (message: string, options?: Parameters<typeof answer>[1], overrides: Partial<ImportSubject> = {}) =>
  explainImportFailure("management.azure.com", answer(message, options), { ...subject, ...overrides });

const operation = (words: string) =>
  `Operation registries-4254c91c-0000-4000-8000-000000000000 failed. Resource ${TARGET_ID} ${words}`;

/** Texts as users reported them, then those that follow from the documentation. */
const TEXTS: readonly (readonly [string, string, string])[] = [
  [
    "the tag exists",
    operation("hello-world:v3 Tag hello-world:v3 already exists in target registry."),
    "TARGET_CONFLICT",
  ],
  ["the source refuses", operation("Access to cscm1hacr002.azurecr.io denied."), "SOURCE_ACCESS_DENIED"],
  ["the target refuses", operation("Access to myregistry.azurecr.io denied."), "TARGET_ACCESS_DENIED"],
  [
    "no such image",
    operation("Unable to find manifest digest  Repo: someurl.com/lido/sms Tag: 1.0.0 Manifest: "),
    "SOURCE_NOT_FOUND",
  ],
  [
    "no digest header",
    operation('No value specified for Docker-Content-Digest OK OK {"schemaVersion":2}'),
    "SOURCE_INVALID_RESPONSE",
  ],
  ["an invalid digest header", operation("Invalid Docker-Content-Digest 'latest'."), "SOURCE_INVALID_RESPONSE"],
  ["blobs", "Error copying blobs", "IMPORT_FAILED"],
  [
    "a malformed resource ID",
    "source.documentId is invalid, it should be in form of '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}'",
    "REGISTRY_NOT_FOUND",
  ],
  ["ranges", operation("The remote server may not be RFC 7233 compliant"), "SOURCE_RANGE_UNSUPPORTED"],
  ["ranges, by status", operation("Unexpected response status code"), "SOURCE_RANGE_UNSUPPORTED"],
  ["ranges, by length", operation("Unexpected length of body in response"), "SOURCE_RANGE_UNSUPPORTED"],
  [
    "too many manifests",
    operation("The maximum number of manifests for an imported image is 50."),
    "SOURCE_TOO_MANY_MANIFESTS",
  ],
  [
    "export policy",
    operation("The export policy of registry 'cscm1hacr002.azurecr.io' is disabled."),
    "SOURCE_EXPORT_FORBIDDEN",
  ],
  ["quota", operation("The registry has reached its storage quota."), "TARGET_QUOTA_EXCEEDED"],
  ["a locked tag", operation("The tag hello-world:v3 is locked."), "TARGET_LOCKED"],
  [
    "a locked tag, as a push to it is answered",
    operation(
      "The operation is disallowed on this registry, repository or image. View troubleshooting steps at https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation",
    ),
    "TARGET_LOCKED",
  ],
  [
    "a firewall",
    operation("client with IP '20.1.2.3' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."),
    "SOURCE_NETWORK_BLOCKED",
  ],
  [
    "a source that throttles",
    operation("toomanyrequests: You have reached your unauthenticated pull rate limit."),
    "SOURCE_THROTTLED",
  ],
  ["a source that wants to know who", operation("unauthorized: authentication required"), "SOURCE_ACCESS_DENIED"],
  ["a soft-deleted image", operation("The manifest is soft-deleted."), "IMPORT_FAILED"],
  [
    "an unknown host",
    operation("The remote name could not be resolved: 'cscm1hacr002.azurecr.io'"),
    "SOURCE_UNREACHABLE",
  ],
  [
    "a provider that is not registered",
    "The subscription is not registered to use namespace 'Microsoft.ContainerRegistry'.",
    "IMPORT_FAILED",
  ],
  ["anything else", operation("The moon is in the wrong phase."), "IMPORT_FAILED"],
];

describe.each([
  ["message", false],
  ["details[0]", true],
])("a message of the service in %s", (_, inDetails) => {
  test.each(TEXTS)("%s", (_name, text, code) => {
    const failure = meaning(text, { inDetails });
    expect(failure.code).toBe(code);
    expect(formatFailure(failure)).toMatch(/^(source|target): \S.*\n {2}Hint: [A-Z]/);
    expect(failure.detail).toContain(`correlation ID ${CORRELATION}`);
    expect(formatFailure(failure)).not.toContain("undefined");
  });
});

test("the same message means the same in a 409: the status does not decide", () => {
  const text = operation("hello-world:v3 Tag hello-world:v3 already exists in target registry.");
  expect(meaning(text, { status: 409 })).toEqual(meaning(text, { status: 400 }));
  expect(meaning("Another operation is in progress.", { status: 409, code: "Conflict" }).code).toBe("IMPORT_FAILED");
});

test("an unknown message is quoted in the first line, without its prefix", () => {
  expect(formatFailure(meaning(operation("The moon is in the wrong phase.")))).toContain(
    "target: the import of cscm1hacr002.azurecr.io/lido/sms:1.0.0 into myregistry.azurecr.io/hello-world:v3 failed: The moon is in the wrong phase [IMPORT_FAILED]\n",
  );
});

test("a locked target is named, with the command that unlocks it", () => {
  const failure = meaning(operation("The operation is disallowed on this registry, repository or image."));
  const text = formatFailure(failure);
  expect(text).toContain("target: myregistry.azurecr.io/hello-world:v3 is locked against changes [");
  expect(text).toContain("az acr repository update --name myregistry --image hello-world:v3 --write-enabled true");
  const target = "myregistry.azurecr.io/hello-world:v3, myregistry.azurecr.io/hello-world:v4";
  const several = meaning(
    operation("The operation is disallowed on this registry, repository or image."),
    {},
    { target },
  );
  expect(formatFailure(several)).toContain(
    "target: one of myregistry.azurecr.io/hello-world:v3, myregistry.azurecr.io/hello-world:v4 is locked against changes [",
  );
});

test("credentials that were given and rejected are reported as such", () => {
  const text = operation("unauthorized: incorrect username or password");
  const given = { reader: "the identity in source.credentials", hasCredentials: true };
  expect(meaning(text, {}, given).code).toBe("SOURCE_CREDENTIALS_REJECTED");
});

test("a registry whose name contains that of the other is not mistaken for it", () => {
  const similar = { sourceHost: "registry", source: "registry/app:1" };
  expect(meaning(operation("Access to myregistry.azurecr.io denied."), {}, similar).code).toBe("TARGET_ACCESS_DENIED");
});

describe("missing permissions", () => {
  const action = "Microsoft.ContainerRegistry/registries/importImage/action";

  test("on the target name role, scope and identity", () => {
    const text = `The client '4444' with object id '5555' does not have authorization to perform action '${action}' over scope '${TARGET_ID}' or the scope is invalid.`;
    const failure = meaning(text, { status: 403, code: "AuthorizationFailed" });
    expect(failure).toMatchObject({
      code: "AZURE_PERMISSION_DENIED",
      side: "target",
      object: subject.identity,
      reason: `is not allowed to import into ${TARGET_ID}`,
    });
    expect(failure.hints?.[0]).toContain(`${DATA_IMPORTER} on ${TARGET_ID}`);
  });

  test("on the source name the scope of the source", () => {
    const text = `The client '4444' with object id '5555' has permission to perform action '${action}' on scope '${TARGET_ID}'; however, it does not have permission to perform action 'read' on the linked scope(s) '${SOURCE_ID}' or the linked scope(s) are invalid.`;
    const failure = meaning(text, { status: 403, code: "LinkedAuthorizationFailed" });
    expect(failure).toMatchObject({
      code: "AZURE_PERMISSION_DENIED",
      side: "source",
      object: subject.identity,
      reason: `is not allowed to import from ${SOURCE_ID}`,
    });
  });

  test("in another tenant suggest the login server and credentials", () => {
    const text = `The client '4444' with object id '5555' has permission to perform action '${action}' on scope '${TARGET_ID}'; however, the current tenant '1111' is not authorized to access linked subscription '3333'.`;
    const failure = meaning(text, { status: 403, code: "LinkedAuthorizationFailed" });
    expect(failure.reason).toContain("belongs to another tenant");
    expect(failure.hints?.[0]).toContain("login server and pass source.credentials");
  });
});

test("a response without an Azure error is reported with its status", () => {
  const portal = { status: 403, headers: createHttpHeaders(), body: "<html>blocked by policy</html>" };
  expect(explainImportFailure("management.azure.com", portal, subject)).toMatchObject({
    code: "AZURE_UNAVAILABLE",
    side: "target",
    object: "management.azure.com",
    reason: "responded with HTTP 403 and no Azure error",
  });
});
