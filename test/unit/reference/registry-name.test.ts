/** The three ways to name an Azure registry. */
import { reasonOf } from "../../../provider/reference/invalid-reference";
import { namesRegistry, parseRegistryName } from "../../../provider/reference/registry-name";

const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/MyRegistry";
const registry = { id, loginServer: "myregistry.azurecr.io" };

test.each([
  "myregistry",
  "MYREGISTRY",
  id,
  id.toLowerCase(),
  "myregistry.azurecr.io",
  "MyRegistry.azurecr.io",
  "myregistry.azurecr.io:443",
  "myregistry.westeurope.geo.azurecr.io",
])("%s names the registry", (text) => {
  expect(namesRegistry(parseRegistryName(text), registry)).toBe(true);
});

test.each(["other", "other.azurecr.io", "myregistry.azurecr.us", id.replace("/g/", "/h/")])(
  "%s names another registry",
  (text) => {
    expect(namesRegistry(parseRegistryName(text), registry)).toBe(false);
  },
);

test.each([
  ["myregistry.azurecr.io/", "must not end with a slash"],
  ["myregistry.azurecr.io/app", "must not contain a repository"],
  ["https://myregistry.azurecr.io", "must not start with https://"],
  ["myregistry.azurecr.io\n", "must not begin or end with white space"],
  [
    "myregistry.azurecr.io:5000",
    "must be the login server of an Azure Container Registry, such as myregistry.azurecr.io",
  ],
])("%j %s", (text, reason) => {
  let error: unknown;
  try {
    parseRegistryName(text);
  } catch (thrown) {
    error = thrown;
  }
  expect(reasonOf(error)).toBe(reason);
});
