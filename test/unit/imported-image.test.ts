/** The resource class in a program: inputs, secrets, stack traces. */
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "../../provider/imported-image";

// What stands in the state of every user, and in the mocks of their own tests.
describe("what the program registers", () => {
  const registered: pulumi.runtime.MockResourceArgs[] = [];

  beforeAll(async () => {
    await pulumi.runtime.setMocks(
      {
        newResource: (resource) => {
          registered.push(resource);
          return { id: "myregistry.azurecr.io/node:22", state: { ...resource.inputs, reference: "a reference" } };
        },
        call: () => ({}),
      },
      "project",
      "stack",
    );
  });

  test("one line of provider text, and a type, that are never renamed", async () => {
    const image = new ImportedImage("node", { registry: "myregistry", source: "docker.io/library/node:22" });
    expect(await promiseOf(image.reference)).toBe("a reference");
    const [resource] = registered;
    expect(resource).toMatchObject({ name: "node", type: "pulumi-nodejs:dynamic/acr:ImportedImage" });
    const text: string = resource?.inputs.__provider;
    expect(text).toBe('exports.handler = () => require("pulumi-acr-import/provider");');
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(100);
  });

  test("nothing is looked up without an engine", async () => {
    const image = new ImportedImage("unresolved", { registry: "myregistry", source: "does-not.exist.invalid/app:1" });
    await promiseOf(image.urn);
    const resource = registered.find(({ name }) => name === "unresolved");
    expect(Object.keys(resource?.inputs ?? {}).sort()).toEqual(["__provider", "registry", "source"]);
  });

  test("parts and the tagged reference follow from other outputs", async () => {
    const targetTags = ["app:1", "app:stable"];
    const image = new ImportedImage("parts", { registry: "myregistry", source: "node:22", targetTags });
    // The mocks know no digest.
    expect(await promiseOf(image.parts)).toEqual({ registry: "", repository: "", tag: "1", digest: "" });
    const untagged = new ImportedImage("untagged", { registry: "myregistry", source: "node:22" });
    expect(await promiseOf(untagged.taggedReference)).toBeUndefined();
  });

  test("an error of the SDK names the line that declares the image; stack traces are as long as before", () => {
    const limit = Error.stackTraceLimit;
    const declare = () => new ImportedImage("", { registry: "myregistry", source: "docker.io/library/node:22" });
    let thrown: unknown;
    try {
      declare();
    } catch (error) {
      thrown = error;
    }
    expect((thrown as Error).message).toContain("name");
    expect((thrown as Error).stack?.split("\n")[1]).toContain(__filename);
    expect(Error.stackTraceLimit).toBe(limit);
  });

  test("credentials are secret, also when they were given as plain text and whichever way the source comes", async () => {
    const source = { image: "r.example.com/app:1", credentials: { password: "plain" } };
    for (const [name, given] of Object.entries({ plain: source, output: pulumi.output(source) })) {
      const image = new ImportedImage(name, { registry: "myregistry", source: given });
      const shown = (image as unknown as { source: pulumi.Output<unknown> }).source;
      await promiseOf(image.urn);
      // Mocks give back what they got; the secret mark of a nested value reaches the whole property.
      expect({ name, secret: await pulumi.isSecret(shown) }).toEqual({ name, secret: true });
    }
  });
});

function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}
