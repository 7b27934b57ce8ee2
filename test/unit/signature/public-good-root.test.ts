/** The trusted root of the public-good deployment, without a network. */
import type { TrustedRoot } from "@sigstore/protobuf-specs";

/** The module, with what the repository of sigstore.dev responds. */
function loadedWith(
  getTrustedRoot: () => Promise<unknown>,
): typeof import("../../../provider/signature/public-good-root") {
  jest.resetModules();
  jest.doMock("@sigstore/tuf", () => ({ ...jest.requireActual("@sigstore/tuf"), getTrustedRoot }));
  return require("../../../provider/signature/public-good-root");
}

const logsOf = ({ tlogs }: TrustedRoot) => tlogs.map(({ baseUrl }) => baseUrl);

test("is what the repository responds, which is asked once", async () => {
  const getTrustedRoot = jest.fn(async () => ({ tlogs: [{ baseUrl: "https://new.example" }] }));
  const { publicGoodRoot } = loadedWith(getTrustedRoot);
  const roots = await Promise.all([publicGoodRoot(), publicGoodRoot()]);
  expect(roots.map(logsOf)).toEqual([["https://new.example"], ["https://new.example"]]);
  expect(getTrustedRoot).toHaveBeenCalledTimes(1);
});

test("is the published one when the repository cannot be reached", async () => {
  const { publicGoodRoot, publishedRoot } = loadedWith(() => Promise.reject(new Error("connection refused")));
  expect(await publicGoodRoot()).toEqual(publishedRoot());
});

test("is the published one when the cache cannot be written", async () => {
  const { publicGoodRoot, publishedRoot } = loadedWith(() => {
    throw new Error("EROFS: read-only file system");
  });
  expect(await publicGoodRoot()).toEqual(publishedRoot());
});

test("the published root has the authorities and both kinds of logs of sigstore.dev", () => {
  const root = loadedWith(() => Promise.reject()).publishedRoot();
  expect(logsOf(root)).toEqual(
    expect.arrayContaining(["https://rekor.sigstore.dev", "https://log2025-1.rekor.sigstore.dev"]),
  );
  expect(root.certificateAuthorities.map(({ uri }) => uri)).toContain("https://fulcio.sigstore.dev");
  expect(root.ctlogs.length).toBeGreaterThan(0);
  expect(root.timestampAuthorities.length).toBeGreaterThan(0);
});

describe("withinTime", () => {
  const { withinTime } = loadedWith(() => Promise.reject());

  test("returns the result", async () => {
    expect(await withinTime(async () => 1, 60_000)).toBe(1);
  });

  test("fails as the work does", async () => {
    const failure = new Error("unreachable");
    await expect(withinTime(() => Promise.reject(failure), 60_000)).rejects.toBe(failure);
  });

  test("fails when the work has no end", async () => {
    await expect(withinTime(() => new Promise(() => {}), 0)).rejects.toThrow("no result within 0 ms");
  });
});
