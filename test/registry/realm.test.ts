/** Which token services may receive the credentials of a registry. */
import { mayReceiveCredentials } from "../../provider/registry/realm";

test.each([
  ["registry-1.docker.io", "https://auth.docker.io/token"],
  ["ghcr.io", "https://ghcr.io/token"],
  ["registry.gitlab.com", "https://gitlab.com/jwt/auth"],
  ["registry.digitalocean.com", "https://api.digitalocean.com/v2/registry/auth"],
  ["registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.cn-hangzhou.aliyuncs.com/auth"],
  ["gitlab.example.com:5050", "https://gitlab.example.com/jwt/auth"],
  ["registry.example.com", "https://registry.example.com:8443/token"],
  ["example.com", "https://auth.example.com/token"],
  ["registry.corp.internal", "https://sso.corp.internal/token"],
  ["registry.one.github.io", "https://auth.one.github.io/token"],
  ["127.0.0.1:5000", "https://127.0.0.1:5001/token"],
  ["[::1]:5000", "https://[::1]:5000/token"],
  ["localhost:5000", "https://localhost:5000/token"],
])("%s may name %s", (registry, realm) => {
  expect(mayReceiveCredentials(registry, new URL(realm))).toBe(true);
});

test.each([
  ["without TLS", "registry.example.com", "http://registry.example.com/token"],
  ["another owner", "registry.example.com", "https://evil.com/token"],
  ["look-alike prefix", "registry.example.com", "https://registry.example.com.evil.com/token"],
  ["look-alike suffix", "registry.example.com", "https://evilexample.com/token"],
  ["look-alike suffix of the host", "example.com", "https://evilexample.com/token"],
  ["host as user name", "registry.example.com", "https://registry.example.com@evil.com/token"],
  ["a user name", "registry.example.com", "https://user@registry.example.com/token"],
  ["top-level domain in common", "ghcr.io", "https://evil.io/token"],
  ["country's second level in common", "registry.co.uk", "https://evil.co.uk/token"],
  ["another Azure registry", "one.azurecr.io", "https://two.azurecr.io/oauth2/token"],
  ["another Azure registry's region", "one.westus.geo.azurecr.io", "https://two.geo.azurecr.io/oauth2/token"],
  ["another tenant of GitHub Pages", "one.github.io", "https://two.github.io/token"],
  ["another tenant of Azure App Service", "one.azurewebsites.net", "https://two.azurewebsites.net/token"],
  ["the host of all Azure App Service tenants", "one.azurewebsites.net", "https://azurewebsites.net/token"],
  ["a country's second level of more letters", "registry.com.au", "https://evil.com.au/token"],
  ["a host below a public suffix", "github.io", "https://evil.github.io/token"],
  ["another address", "10.0.0.1:5000", "https://10.0.0.2/token"],
  ["address that ends alike", "10.0.0.1", "https://1.0.0.1/token"],
  ["below localhost", "localhost:5000", "https://evil.localhost/token"],
])("%s: %s may not name %s", (_what, registry, realm) => {
  expect(mayReceiveCredentials(registry, new URL(realm))).toBe(false);
});
