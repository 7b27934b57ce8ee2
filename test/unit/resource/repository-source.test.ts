/** The source of tags: a repository in its registry. */
import { formatFailure } from "../../../provider/failure/failure";
import { Problems } from "../../../provider/resource/problems";
import {
  parseRepositorySource,
  printRepositorySource,
  type RepositorySourceArguments,
} from "../../../provider/resource/repository-source";
import { checkRepositorySource } from "../../../provider/resource/source-arguments";
import { UNKNOWN } from "../../../provider/resource/unknown";
import { digestOf, registryId } from "../../support/fixtures";

function messagesOf(source: unknown): string[] {
  const problems = new Problems();
  checkRepositorySource(problems, "source", source);
  return problems.found.map((problem) => formatFailure(problem).replace(" [INVALID_ARGUMENT]", ""));
}

test.each<[RepositorySourceArguments, string]>([
  ["node", "docker.io/library/node"],
  ["docker.io/node", "docker.io/library/node"],
  ["docker.io/library/node", "docker.io/library/node"],
  ["index.docker.io/tensorflow/tensorflow", "docker.io/tensorflow/tensorflow"],
  ["owner/app", "docker.io/owner/app"],
  ["GHCR.io/owner/app", "ghcr.io/owner/app"],
  ["localhost:5000/app", "localhost:5000/app"],
  ["oci://registry.example.com/charts/app", "registry.example.com/charts/app"],
  ["docker://node", "docker.io/library/node"],
  [{ repository: "ghcr.io/owner/app", registry: null } as never, "ghcr.io/owner/app"],
  [{ repository: "app", registry: "Other.azurecr.io" }, "other.azurecr.io/app"],
  [{ repository: "docker.io/library/node", registry: "other" }, "other/docker.io/library/node"],
  [{ repository: "team/app", registry: registryId("other") }, "other/team/app"],
])("%j is %s", (source, printed) => {
  expect(messagesOf(source)).toEqual([]);
  expect(printRepositorySource(parseRepositorySource(source))).toBe(printed);
});

test("credentials come along", () => {
  const credentials = { username: "user", password: "hunter2" };
  expect(parseRepositorySource({ repository: "app", registry: "other", credentials })).toEqual({
    registry: { kind: "name", name: "other" },
    repository: "app",
    credentials,
  });
  expect(parseRepositorySource({ repository: "app", credentials: { username: null, password: "t" } as never })).toEqual(
    {
      registry: { kind: "host", host: "docker.io" },
      repository: "library/app",
      credentials: { password: "t" },
    },
  );
});

test.each([
  UNKNOWN,
  { repository: UNKNOWN, registry: UNKNOWN, credentials: UNKNOWN },
  { repository: "app", credentials: { username: UNKNOWN, password: UNKNOWN } },
])("%j is valid", (source) => {
  expect(messagesOf(source)).toEqual([]);
});

test.each<[unknown, ...string[]]>([
  [undefined, "source: is required: a repository such as docker.io/library/node"],
  [5, "source: must be a repository, or an object with repository"],
  ["", "source: must not be empty"],
  ["node:22", "source: must be a repository without a tag"],
  ["localhost:5000", "source: must be a repository without a tag"],
  [`node@${digestOf("a")}`, "source: must be a repository without a digest"],
  ["ghcr.io/Owner/app", "source: must have a repository in lower case: owner/app"],
  ["https://ghcr.io/owner/app", "source: must not start with https://"],
  ["user:hunter2@ghcr.io/app", "source: must not contain credentials\n  Hint: Use source.credentials"],
  [{}, "source.repository: is required: a repository such as docker.io/library/node"],
  [{ repository: "app:1", registry: "other" }, "source.repository: must be a repository without a tag"],
  [
    { repository: "localhost/app", registry: "other" },
    "source.repository: must not start with a host: the registry is given separately",
  ],
  [
    { repository: "app", registry: "ghcr.io" },
    "source.registry: must be an Azure Container Registry\n  Hint: Put the host of any other registry into source.repository: registry.example.com/app",
  ],
  [
    { repository: "app", image: "app", credentials: { username: "user" } },
    "source.image: is not a known argument; expected one of repository, registry, credentials",
    "source.credentials.password: is required when username is set",
  ],
])("%j: %s", (source, ...messages) => {
  expect(messagesOf(source)).toEqual(messages);
});
