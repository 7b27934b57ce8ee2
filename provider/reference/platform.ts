/**
 * Platforms of images, named as in Go.
 *
 * ```
 * platform := os "/" architecture [ "/" variant ]
 * ```
 *
 * https://github.com/opencontainers/image-spec/blob/main/image-index.md
 */
import { InvalidReference } from "./invalid-reference";
import { rejectOtherText } from "./plain-text";

declare const brand: unique symbol;

/** A platform such as `linux/amd64` or `linux/arm/v7`. */
export type Platform = string & { readonly [brand]: "Platform" };

/** The variant that an architecture has where none is named: https://github.com/containerd/platforms */
const IMPLIED_VARIANTS: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8", arm: "v7" };

export function parsePlatform(text: string): Platform {
  if (text === "") throw new InvalidReference("must not be empty");
  if (text.includes(","))
    throw new InvalidReference("must be one platform", "Import each platform by its own resource");
  rejectOtherText(text);
  if (!/^[a-z0-9_.-]+\/[a-z0-9_.-]+(\/[a-z0-9_.-]+)?$/.test(text)) {
    throw new InvalidReference(
      "must be an operating system and an architecture in lower case, such as linux/amd64 or linux/arm/v7",
    );
  }
  return text as Platform;
}

/** Whether both name the same platform: `linux/arm64` is `linux/arm64/v8`. */
export function isSamePlatform(one: string, other: string): boolean {
  return withVariant(one) === withVariant(other);
}

function withVariant(platform: string): string {
  const [os, architecture = "", variant] = platform.split("/");
  return [os, architecture, variant ?? IMPLIED_VARIANTS[architecture] ?? ""].join("/");
}
