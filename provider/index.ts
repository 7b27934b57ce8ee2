export { ImportedImage, type ImportedImageArgs, type SourceArgs, type SourceCredentialsArgs } from "./imported-image";
