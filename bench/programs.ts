/** The programs that are compared: each declares one resource per image of a list. */

/** An image of the source registry; each has a repository of its own. */
export interface SourceImage {
  readonly name: string;
  readonly reference: string;
  readonly digest: string;
}

export interface Program {
  readonly title: string;
  /** Its main file, which declares the resources that `images.json` lists with `name` and `args`. */
  readonly main: string;
  /** @default "js" */
  readonly extension?: "js" | "ts";
  /** Further files, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** The checkout whose packages it uses. @default this one */
  readonly checkout?: string;
  args(image: SourceImage): object;
}

const plainArgs = ({ reference }: SourceImage) => ({ registry: "myregistry", source: reference });

const sevenMethods = `{
  configure: async () => {},
  check: async (_olds, inputs) => ({ inputs }),
  diff: async () => ({ changes: false }),
  create: async (outs) => ({ id: "nothing", outs }),
  read: async (id, props) => ({ id, props }),
  update: async (_id, _olds, outs) => ({ outs }),
  delete: async () => {},
}`;

export const images: Program = {
  title: "`ImportedImage`",
  main: `const { ImportedImage } = require("pulumi-acr-import");
for (const { name, args } of require("./images.json")) new ImportedImage(name, args);
`,
  args: plainArgs,
};

/** The same program with the package of another checkout, which is installed and built. */
export function imagesOf(checkout: string): Program {
  return { ...images, title: "other", checkout };
}

/** The same program with other arguments. */
export function imagesWith(title: string, args: Program["args"]): Program {
  return { ...images, title, args };
}

/** Each resource has the tags of a repository. */
export const repositories: Program = {
  title: "`ImportedRepository`",
  main: `const { ImportedRepository } = require("pulumi-acr-import");
for (const { name, args } of require("./images.json")) new ImportedRepository(name, args);
`,
  args: ({ reference }) => ({ registry: "myregistry", source: reference, semver: ">=1" }),
};

/** The baseline: the smallest dynamic resource, written as Pulumi documents it. */
export const nothing: Program = {
  title: "do-nothing",
  main: `const pulumi = require("@pulumi/pulumi");
const provider = ${sevenMethods};
class Nothing extends pulumi.dynamic.Resource {
  constructor(name, args) {
    super(provider, name, args);
  }
}
for (const { name, args } of require("./images.json")) new Nothing(name, args);
`,
  args: plainArgs,
};

/**
 * A stricter baseline: no arguments, and a provider text written by hand as that of `ImportedImage`, so that it pays neither
 * for the serialization of a closure nor for its text in the state.
 */
export const bare: Program = {
  title: "bare",
  // The type token of ImportedImage, since its length counts in the state.
  main: `const pulumi = require("@pulumi/pulumi");
const __provider = 'exports.handler = () => require(process.cwd() + "/methods.js");';
class Bare extends pulumi.CustomResource {
  constructor(name) {
    super("pulumi-nodejs:dynamic/acr:ImportedImage", name, { __provider });
  }
}
for (const { name } of require("./images.json")) new Bare(name);
`,
  files: { "methods.js": `module.exports = ${sevenMethods};\n` },
  args: () => ({}),
};

const typescript = {
  extension: "ts",
  files: { "tsconfig.json": '{ "compilerOptions": { "strict": true } }\n' },
} as const;

export const imagesInTypeScript: Program = {
  ...images,
  ...typescript,
  title: "`ImportedImage` in TypeScript",
  main: `import { ImportedImage, type ImportedImageArgs } from "pulumi-acr-import";
const images: { name: string; args: ImportedImageArgs }[] = require("./images.json");
for (const { name, args } of images) new ImportedImage(name, args);
`,
};

export const nothingInTypeScript: Program = {
  ...nothing,
  ...typescript,
  title: "do-nothing in TypeScript",
  main: `import * as pulumi from "@pulumi/pulumi";
const provider: pulumi.dynamic.ResourceProvider = ${sevenMethods};
class Nothing extends pulumi.dynamic.Resource {
  constructor(name: string, args: pulumi.Inputs) {
    super(provider, name, args);
  }
}
const images: { name: string; args: pulumi.Inputs }[] = require("./images.json");
for (const { name, args } of images) new Nothing(name, args);
`,
};
