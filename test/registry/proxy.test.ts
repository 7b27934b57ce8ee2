/** The proxy of a URL, by the environment. */
import { findProxy } from "../../provider/registry/transport/proxy";

const NAMES = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "NO_PROXY", "no_proxy"];

afterEach(() => {
  for (const name of NAMES) delete process.env[name];
});

const proxyOf = (url: string, variables: Record<string, string>) => {
  Object.assign(process.env, variables);
  return findProxy(new URL(url));
};

test.each<[string, Record<string, string>, string | undefined]>([
  ["a URL", { HTTPS_PROXY: "http://127.0.0.1:1" }, "http://127.0.0.1:1"],
  ["a URL with TLS", { HTTPS_PROXY: "https://proxy.example.com" }, "https://proxy.example.com"],
  ["host and port", { HTTPS_PROXY: "127.0.0.1:1" }, "http://127.0.0.1:1"],
  ["user and password", { HTTPS_PROXY: "user:pass@127.0.0.1:1" }, "http://user:pass@127.0.0.1:1"],
  ["a name in lower case", { https_proxy: "127.0.0.1:1" }, "http://127.0.0.1:1"],
  ["both names, of which the one in lower case wins", { https_proxy: "a:1", HTTPS_PROXY: "b:1" }, "http://a:1"],
  ["ALL_PROXY", { ALL_PROXY: "a:1" }, "http://a:1"],
  ["ALL_PROXY beside HTTPS_PROXY, which wins", { all_proxy: "a:1", HTTPS_PROXY: "b:1" }, "http://b:1"],
  ["HTTP_PROXY, which is for other URLs", { HTTP_PROXY: "a:1" }, undefined],
  ["an empty value", { HTTPS_PROXY: "" }, undefined],
])("reads a proxy from %s", (_what, variables, proxy) => {
  expect(proxyOf("https://registry.example.com/v2/", variables)).toBe(proxy);
});

test.each<[string, string, boolean]>([
  ["registry.example.com", "registry.example.com", true],
  ["registry.example.com", "REGISTRY.example.com", true],
  ["registry.example.com", "other.com, registry.example.com", true],
  ["registry.example.com", "other.com registry.example.com", true],
  ["registry.example.com", ".example.com", true],
  ["registry.example.com", "*.example.com", true],
  ["registry.example.com", "*", true],
  ["registry.example.com", "registry.example.com:443", true],
  ["registry.example.com:5000", "registry.example.com:5000", true],
  ["registry.example.com:5000", "registry.example.com", true],
  ["127.0.0.1:5000", "localhost,127.0.0.1", true],
  ["[::1]:5000", "::1", true],
  ["[::1]:5000", "[::1]", true],
  ["[::1]:5000", "[::1]:5000", true],
  ["[::1]:5000", "[::1]:5001", false],
  ["registry.example.com", "registry.example.com:5000", false],
  ["registry.example.com:5000", "registry.example.com:443", false],
  ["registry.example.com", "example.com", false],
  ["example.com", ".example.com", false],
  ["notexample.com", ".example.com", false],
  ["registry.example.com.evil.com", "registry.example.com", false],
  ["registry.example.com", ",, ,", false],
])("connects to %s with NO_PROXY=%s without a proxy: %s", (host, list, isDirect) => {
  for (const name of ["NO_PROXY", "no_proxy"]) {
    expect(proxyOf(`https://${host}/v2/`, { HTTPS_PROXY: "proxy:1", [name]: list }) === undefined).toBe(isDirect);
    delete process.env[name];
  }
});
