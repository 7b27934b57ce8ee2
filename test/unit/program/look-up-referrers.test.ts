/** What refers to an image is looked for in the program, once for all resources that import it. */
import { lookUpReferrers } from "../../../provider/program/look-up-referrers";
import { type ParsedArguments, parseArguments } from "../../../provider/resource/arguments";
import { unknownAs } from "../../../provider/resource/unknown";
import type { DigestResolver } from "../../../provider/source/resolve-digest";
import { digestOf } from "../../support/fixtures";

const digest = digestOf("1");
const parsed = (args: object) =>
  parseArguments({ registry: "myregistry", source: "node:22", referrers: true, ...args }) as ParsedArguments;

function newResolver() {
  const listReferrers = jest.fn(async () => ({ fingerprint: "list" }));
  return { resolver: { listReferrers } as unknown as DigestResolver, listReferrers };
}

test("resources that import one image share what was found, however they spell it", async () => {
  const { resolver, listReferrers } = newResolver();
  const look = (args: object, of = digest) => lookUpReferrers(parsed(args), of, resolver);
  const found = { digest, tags: true, fingerprint: "list" };
  expect(await look({})).toEqual(found);
  expect(await look({ source: "docker.io/library/node:latest", referrers: { artifactTypes: ["a/b"] } })).toEqual(found);
  expect(listReferrers).toHaveBeenCalledTimes(1);
  await look({}, digestOf("2"));
  await look({ source: { image: "node:22", credentials: { password: "p" } } });
  expect(await look({ referrers: { tags: false } })).toEqual({ ...found, tags: false });
  expect(listReferrers).toHaveBeenCalledTimes(4);
  await lookUpReferrers(parsed({}), digest, newResolver().resolver);
  expect(listReferrers).toHaveBeenCalledTimes(4);
});

test.each<[string, object]>([
  ["nothing is wanted", { referrers: undefined }],
  ["it is not known what is wanted", { referrers: unknownAs() }],
  ["a platform is imported", { platform: "linux/amd64" }],
])("nothing is looked for when %s", async (_, args) => {
  const { resolver, listReferrers } = newResolver();
  expect(await lookUpReferrers(parsed(args), digest, resolver)).toBeUndefined();
  expect(await lookUpReferrers(parsed({}), undefined, resolver)).toBeUndefined();
  expect(listReferrers).not.toHaveBeenCalled();
});
