/** Programs that declare images. */

/** Arguments of an image that JSON can represent. */
export type ImageArguments = Readonly<Record<string, unknown>>;

/** A program that declares images by name; `options` are resource options. */
export function declareImages(images: Readonly<Record<string, ImageArguments>>, options: object = {}): string {
  const declarations = Object.entries(images).map(([name, args]) => declaration(name, args, options));
  return [imports, ...declarations].join("\n");
}

/** A program that declares one image, called `app`. */
export function imageProgram(args: ImageArguments, options: object = {}): string {
  return declareImages({ app: args }, options);
}

const imports = 'const { ImportedImage } = require("pulumi-acr-import");';

function declaration(name: string, args: ImageArguments, options: object): string {
  return `const ${name} = new ImportedImage(${[name, args, options].map((each) => JSON.stringify(each)).join(", ")});`;
}
