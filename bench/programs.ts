/** The programs that are compared: each declares resources of the same names, one per image, in JavaScript. */

export interface Program {
  readonly title: string;
  /** The checkout whose packages it uses, where it is not this one. */
  readonly checkout?: string;
  /** Whether it sends requests to the source, so that latency counts. */
  readonly sendsRequests: boolean;
  /** The files of the program, by name. */
  files(images: number): Readonly<Record<string, string>>;
}

/** The image that the resource with this number imports; each image has a repository of its own. */
export function sourceOf(number: number): string {
  return `docker.io/bench/image-${String(number).padStart(4, "0")}:1`;
}

const nameOf = 'const name = "image-" + String(number).padStart(4, "0");';
const args = '{ registry: "myregistry", source: "docker.io/bench/" + name + ":1" }';

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
  sendsRequests: true,
  files: (count) => ({
    "index.js": `const { ImportedImage } = require("pulumi-acr-import");
for (let number = 1; number <= ${count}; number++) {
  ${nameOf}
  new ImportedImage(name, ${args});
}
`,
  }),
};

/** The same program with the package of another checkout, which is installed and built. */
export function imagesOf(checkout: string): Program {
  return { ...images, title: "other", checkout };
}

/** The baseline: the smallest dynamic resource, written as Pulumi documents it. */
export const nothing: Program = {
  title: "do-nothing",
  sendsRequests: false,
  files: (count) => ({
    "index.js": `const pulumi = require("@pulumi/pulumi");
const provider = ${sevenMethods};
class Nothing extends pulumi.dynamic.Resource {
  constructor(name, args) {
    super(provider, name, args);
  }
}
for (let number = 1; number <= ${count}; number++) {
  ${nameOf}
  new Nothing(name, ${args});
}
`,
  }),
};

/**
 * A stricter baseline: no arguments, and a provider text written by hand as that of `ImportedImage`, so that it pays neither
 * for the serialization of a closure nor for its text in the state.
 */
export const bare: Program = {
  title: "bare",
  sendsRequests: false,
  files: (count) => ({
    "methods.js": `module.exports = ${sevenMethods};\n`,
    // The type token of ImportedImage, since its length counts in the state.
    "index.js": `const pulumi = require("@pulumi/pulumi");
const __provider = 'exports.handler = () => require(process.cwd() + "/methods.js");';
class Bare extends pulumi.CustomResource {
  constructor(name) {
    super("pulumi-nodejs:dynamic/acr:ImportedImage", name, { __provider });
  }
}
for (let number = 1; number <= ${count}; number++) {
  ${nameOf}
  new Bare(name);
}
`,
  }),
};
