/** A repository for tests of the reader of referrers: manifests, tags, and a referrers API that can be wrong in many ways. */
import type { ServerResponse } from "node:http";
import type { Digest } from "../../provider/reference/digest";
import { type Handler, json, sha256 } from "./fake-registry";

export const INDEX = "application/vnd.oci.image.index.v1+json";
export const IMAGE = "application/vnd.oci.image.manifest.v1+json";
export const CONFIG = "application/vnd.oci.image.config.v1+json";
export const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
export const NOTATION = "application/vnd.cncf.notary.signature";
export const SBOM = "application/spdx+json";

/** An entry of an index or of a list of referrers. */
export interface Entry {
  readonly digest: Digest;
  readonly mediaType?: string;
  readonly size?: number;
  readonly artifactType?: string;
}

/** What the referrers API responds with instead of the list. */
type Answer = (response: ServerResponse, digest: Digest, url: URL) => unknown;

export class FakeRepository {
  /** Responds to the referrers API; by default with the manifests that have the subject. */
  api: Answer = (response, digest) => this.sendList(response, this.referrersOf(digest));
  readonly manifests = new Map<string, { readonly mediaType: string; readonly body: string }>();
  readonly tags = new Map<string, string>();

  /** Responds as a registry without the API does: https://github.com/distribution/distribution */
  withoutApi(): this {
    this.api = (response) => response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found\n");
    return this;
  }

  put(manifest: Readonly<Record<string, unknown>>, tag?: string): Digest {
    const { mediaType = IMAGE } = manifest;
    return this.putBytes(JSON.stringify({ schemaVersion: 2, mediaType, ...manifest }), String(mediaType), tag);
  }

  putBytes(body: string, mediaType: string, tag?: string): Digest {
    const digest = sha256(body);
    this.manifests.set(digest, { mediaType, body });
    if (tag !== undefined) this.tags.set(tag, digest);
    return digest;
  }

  /** An image for one platform. */
  image(name: string): Digest {
    return this.put({ config: { mediaType: CONFIG, digest: sha256(name), size: 2 }, layers: [] });
  }

  index(children: readonly Digest[], annotations = {}): Digest {
    return this.put({ mediaType: INDEX, manifests: children.map((digest) => this.entry(digest)), annotations });
  }

  /** A manifest with a subject. */
  referrer(subject: Digest, artifactType: string, name = ""): Digest {
    const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: sha256("{}"), size: 2 };
    return this.put({ artifactType, config, layers: [], subject: this.entry(subject), annotations: { name } });
  }

  /** What cosign keeps under a tag: its suffix is `sig`, `att` or `sbom`. */
  tagged(subject: Digest, suffix: string, name = ""): Digest {
    const config = { mediaType: CONFIG, digest: sha256(name), size: 2 };
    return this.put({ config, layers: [], annotations: { suffix, name } }, `${subject.replace(":", "-")}.${suffix}`);
  }

  /** Keeps the list of a subject under its tag, as clients do. */
  keepIndex(subject: Digest, entries: readonly Entry[] = this.referrersOf(subject)): Digest {
    return this.put({ mediaType: INDEX, manifests: entries }, subject.replace(":", "-"));
  }

  entry(digest: Digest): Entry {
    const { mediaType = IMAGE, body = "" } = this.manifests.get(digest) ?? {};
    return { mediaType, digest, size: body.length };
  }

  referrersOf(subject: Digest): Entry[] {
    return [...this.manifests].flatMap(([digest, { body }]) => {
      const manifest = JSON.parse(body);
      const { artifactType } = manifest;
      return manifest.subject?.digest === subject ? [{ ...this.entry(digest as Digest), artifactType }] : [];
    });
  }

  sendList(response: ServerResponse, manifests: readonly Entry[], headers: Record<string, string> = {}): void {
    const list = { schemaVersion: 2, mediaType: INDEX, manifests };
    json(response, 200, list, { "content-type": INDEX, ...headers });
  }

  /** Serves the repository under any name. */
  readonly handler: Handler = (request, response) => {
    const url = new URL(request.url ?? "", "https://registry");
    const [, kind = "", reference = ""] = /\/(manifests|referrers)\/([^/]+)$/.exec(url.pathname) ?? [];
    if (kind === "referrers") return this.api(response, reference as Digest, url);
    const digest = this.tags.get(reference) ?? reference;
    const found = this.manifests.get(digest);
    if (!found) return json(response, 404, { errors: [{ code: "MANIFEST_UNKNOWN" }] });
    const { mediaType, body } = found;
    const headers = { "content-type": mediaType, "docker-content-digest": digest, "content-length": body.length };
    return response.writeHead(200, headers).end(request.method === "HEAD" ? undefined : body);
  };
}
