/** Arguments of an image, as far as JSON can say them. */
export type ImageArguments = Readonly<Record<string, unknown>>;

/** A program that declares images by their names; `options` are Pulumi's own. */
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
