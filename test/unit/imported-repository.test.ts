/** The references of mirrored tags, under Pulumi's mocks. */
import * as pulumi from "@pulumi/pulumi";
import { ImportedRepository } from "../../provider/imported-repository";

const digest = `sha256:${"1".repeat(64)}`;
const name = "myregistry.azurecr.io/library/node";
let tags: string | undefined;

beforeAll(async () => {
  await pulumi.runtime.setMocks({
    newResource: ({ inputs }) => {
      const outputs = { loginServer: "myregistry.azurecr.io", targetRepository: "library/node", tags };
      return { id: name, state: { ...inputs, ...outputs } };
    },
    call: () => ({}),
  });
});
beforeEach(() => {
  tags = undefined;
});

const mirror = () =>
  new ImportedRepository("node", { registry: "myregistry", source: "docker.io/library/node", semver: ">=22" });

test("reference and references are made of the text of the tags", async () => {
  tags = `22.1.0 ${digest}\n22.2.0 ${digest}`;
  expect(await promiseOf(mirror().reference("22.2.0"))).toBe(`${name}@${digest}`);
  expect(await promiseOf(mirror().reference(pulumi.output("22.1.0")))).toBe(`${name}@${digest}`);
  expect(await promiseOf(mirror().references())).toEqual({
    "22.1.0": `${name}@${digest}`,
    "22.2.0": `${name}@${digest}`,
  });
});

test("where the mocks have no tags, there are no references", async () => {
  expect(await promiseOf(mirror().reference("22.1.0"))).toBe(`${name}@undefined`);
  expect(await promiseOf(mirror().references())).toEqual({});
});

test("an id is refused: there is nothing to read a repository by", () => {
  const args = { registry: "myregistry", source: "docker.io/library/node", tags: ["22"] };
  expect(() => new ImportedRepository("node", args, { id: name })).toThrow(
    /^node: id is not supported\n {2}Hint: Remove/,
  );
});

function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  // Unlike `apply`, it rejects.
  return (output as unknown as { promise(): Promise<T> }).promise();
}
