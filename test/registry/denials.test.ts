/** What a refused look-up says about an image that may not exist. */
import { RegistryClient } from "../../provider/registry/client";
import { anonymous, failure, json, tokenRegistry, tokenService, useFakeRegistry, user } from "./fake-registry";

const fake = useFakeRegistry();

const NAMES_ABSENCE = expect.stringMatching(
  /^Check the name: .* respond in the same way when the image does not exist$/,
);

describe("Docker Hub", () => {
  const head = (repository: string, tag: string) =>
    new RegistryClient({ host: "docker.io", side: "source", credential: anonymous }).head(repository, tag);
  beforeEach(() => {
    fake.handlers["auth.docker.io"] = tokenService();
    fake.handlers["registry-1.docker.io"] = (_request, response) => {
      const challenge =
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",error="insufficient_scope"';
      json(response, 401, { errors: [{ code: "UNAUTHORIZED" }] }, { "www-authenticate": challenge });
    };
  });

  test("refuses what does not exist, and the failure says so", async () => {
    expect(await failure(head("library/hello-wrold", "latest"))).toMatchObject({
      code: "SOURCE_ACCESS_DENIED",
      reason: "is not allowed to pull docker.io/library/hello-wrold:latest",
      hints: [NAMES_ABSENCE, expect.any(String), expect.any(String)],
    });
  });

  // https://github.com/Azure/acr/issues/476
  // https://github.com/renovatebot/renovate/issues/21365
  test.each([
    ["mcr.microsoft.com/windows/servercore", "ltsc2019", "mcr.microsoft.com/windows/servercore:ltsc2019"],
    ["ghcr.io/owner/app", "1", "ghcr.io/owner/app:1"],
    ["docker.io/library/node", "22", "docker.io/library/node:22"],
    ["library/quay.io/owner/app", "1", "quay.io/owner/app:1"],
  ])("has no %s, and the failure names the image that was meant", async (repository, tag, meant) => {
    expect((await failure(head(repository, tag))).hints?.[0]).toBe(
      `Use ${meant}, not docker.io/${repository}:${tag}: each registry has its own host`,
    );
  });

  test("has users and images with almost any other name", async () => {
    for (const repository of ["owner/app.io", "owner/app", "library/mcr.microsoft.com"]) {
      expect((await failure(head(repository, "1"))).hints?.[0]).toEqual(NAMES_ABSENCE);
    }
  });
});

// https://github.com/google/go-containerregistry/issues/1691
test("a registry may refuse what does not exist with 403", async () => {
  fake.handlers[fake.host] = tokenRegistry(`https://auth.${fake.host}/`, (_request, response) =>
    json(response, 403, { errors: [{ code: "DENIED", message: "requested access to the resource is denied" }] }),
  );
  fake.handlers[`auth.${fake.host}`] = tokenService();
  expect(await failure(fake.client(user).head("app", "missing"))).toMatchObject({
    code: "SOURCE_ACCESS_DENIED",
    hints: [NAMES_ABSENCE, expect.any(String), expect.any(String)],
  });
  // A mirror may well have a repository named after a host.
  expect((await failure(fake.client(user).head("docker.io/library/node", "1"))).hints?.[0]).toEqual(NAMES_ABSENCE);
});

test.each([401, 403])("a token service may refuse what does not exist with %s", async (status) => {
  fake.handlers[fake.host] = tokenRegistry(`https://auth.${fake.host}/`);
  fake.handlers[`auth.${fake.host}`] = (_request, response) => json(response, status, {});
  expect(await failure(fake.client().head("app", "missing"))).toMatchObject({
    code: "SOURCE_ACCESS_DENIED",
    hints: [NAMES_ABSENCE, expect.any(String), expect.any(String)],
  });
});
