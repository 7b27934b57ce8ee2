/** How much of what refers to an image is read, whatever a registry lists. */
import { ImportError } from "../../failure/failure";
import { sourceFailure } from "../../failure/source";
import type { RegistryApi } from "../api";

/** More is not a list that publishers made. */
const MAX_LISTED = 1000;
/** As many as Azure imports at once as the manifests of an index; each one is an import of its own. */
const MAX_REFERRERS = 50;
/** How many manifests are visited in order to find them: the image, its children, and referrers of any type. */
const MAX_MANIFESTS = 200;
/** How much of them is kept in memory: those of publishers have a few kilobytes, but each may have four megabytes. */
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

/** Throws for a list that is too long. */
export function requireBounded(api: RegistryApi, list: readonly unknown[]): void {
  if (list.length > MAX_LISTED) throw api.invalidResponse(`more than ${MAX_LISTED} referrers are listed`);
}

/** Throws where too much would have to be imported: nothing is left out silently. */
export function requireImportable(image: string, referrers: readonly unknown[]): void {
  if (referrers.length > MAX_REFERRERS) throw new ImportError(sourceFailure.tooManyReferrers(image, MAX_REFERRERS));
}

/** Throws where too much would have to be read. */
export function requireVisitable(image: string, manifests: ReadonlySet<unknown>): void {
  if (manifests.size > MAX_MANIFESTS) throw new ImportError(sourceFailure.tooManyReferrers(image, MAX_MANIFESTS));
}

/** Throws where the manifests are too long together. */
export function requireSmall(api: RegistryApi, bytes: number): void {
  if (bytes > MAX_MANIFEST_BYTES) {
    throw api.invalidResponse(`the manifests that refer to one image are longer than ${MAX_MANIFEST_BYTES} bytes`);
  }
}
