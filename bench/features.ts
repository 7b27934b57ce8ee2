/** Features of `ImportedImage` and sources of `ImportedRepository`, whose requests are the same in every no-op. */
import type { Emulator } from "acr-emulator";
import type { Bench } from "./bench";
import { requestsBeyond, type Traffic } from "./emulator";
import { countNoOp } from "./measurements/requests";
import { imagesWith, type Program, repositories, type SourceImage } from "./programs";
import { signImage } from "./sign";

/** A feature of `ImportedImage`, and how many requests it may add to a no-op with one image, tokens aside. */
export interface Feature {
  readonly title: string;
  readonly atMost: number;
  readonly host: string;
  readonly args: object;
}

/** A source of `ImportedRepository`, and how many requests of each kind a no-op with 10 tags may send. */
export interface RepositorySource {
  readonly title: string;
  readonly host: string;
  readonly args: object;
  readonly lists: number;
  readonly heads: number;
}

export const TAGS = 10;

const HUB = "docker.io";
/** As distribution's own server, it has no referrers API. */
const WITHOUT_API = "registry.example.com";
/** Its lists have digests, as those of Google's registries. */
const WITH_DIGESTS = "europe-docker.pkg.dev";
const AZURE = "mysourceregistry.azurecr.io";

const REPOSITORY = "features/app";

/** What features add, by their titles, and all requests of repositories, by the titles of their sources. */
export interface FeatureCounts {
  readonly features: ReadonlyMap<Feature, Traffic["requests"]>;
  readonly repositories: ReadonlyMap<RepositorySource, Traffic["requests"]>;
}

/** What differs most, for a test that has no time for all. */
export const ESSENTIAL: ReadonlySet<string> = new Set([
  "`referrers`",
  "all together",
  "Docker Hub",
  "another Azure registry",
]);

/**
 * Counts the requests of a no-op `up`, which runs the program once.
 *
 * @param titles - Of features and sources. Without it all are counted.
 */
export async function countFeatures(bench: Bench, titles?: ReadonlySet<string>): Promise<FeatureCounts> {
  const isCounted = ({ title }: { readonly title: string }) => titles?.has(title) !== false;
  const { emulator } = bench;
  emulator.hosts.set({ [WITHOUT_API]: { referrers: { api: "missing" } }, [WITH_DIGESTS]: { tagDigests: true } });
  const [image, other] = [createSignedImage(emulator, HUB), createSignedImage(emulator, WITHOUT_API)];
  const countOf = (title: string, host: string, args: object) =>
    countNoOp(bench, ofOneImage(title, args), [host === HUB ? image.source : other.source]);
  const plain = new Map<string, Traffic>();
  const counted = featuresWith(image.key).filter(isCounted);
  for (const host of new Set(counted.map((feature) => feature.host))) {
    plain.set(host, await countOf(`plain image on ${host}`, host, {}));
  }
  const features = new Map<Feature, Traffic["requests"]>();
  for (const feature of counted) {
    const traffic = await countOf(feature.title, feature.host, feature.args);
    features.set(feature, requestsBeyond(traffic, plain.get(feature.host) as Traffic));
  }
  const found = new Map<RepositorySource, Traffic["requests"]>();
  for (const source of repositorySources.filter(isCounted)) {
    const { requests } = await countNoOp(bench, ofOneRepository(source), [createTags(emulator, source.host)]);
    found.set(source, requests);
  }
  return { features, repositories: found };
}

/** @param key - The public key by which the image is signed. */
function featuresWith(key: string): readonly Feature[] {
  const platform = { platform: "linux/arm64" };
  const referrers = { referrers: true };
  const verify = { verify: { cosign: { key } } };
  const lock = { lock: true };
  const cooldown = { cooldown: "3d" };
  const onSourceMove = { onSourceMove: "fail" };
  const all = { ...platform, ...referrers, ...verify, ...lock, ...cooldown, ...onSourceMove };
  return [
    { title: "`platform`", atMost: 0, host: HUB, args: platform },
    { title: "`referrers`", atMost: 4, host: HUB, args: referrers },
    { title: "`referrers` with `tags: false`", atMost: 1, host: HUB, args: { referrers: { tags: false } } },
    // One of them finds out for the run that the host has no API.
    { title: "`referrers`, host without the API", atMost: 5, host: WITHOUT_API, args: referrers },
    { title: "`verify`, cosign by key", atMost: 0, host: HUB, args: verify },
    { title: "`lock`", atMost: 0, host: HUB, args: lock },
    { title: "`cooldown`", atMost: 0, host: HUB, args: cooldown },
    { title: "`onSourceMove`", atMost: 0, host: HUB, args: onSourceMove },
    { title: "all together", atMost: 4, host: HUB, args: all },
  ];
}

const repositorySources: readonly RepositorySource[] = [
  { title: "Docker Hub", host: HUB, args: {}, lists: 1, heads: TAGS },
  { title: "another Azure registry", host: AZURE, args: {}, lists: 1, heads: 0 },
  { title: "Artifact Registry", host: WITH_DIGESTS, args: {}, lists: 1, heads: 0 },
  { title: "Docker Hub, `referrers`", host: HUB, args: { referrers: true }, lists: 1 + TAGS, heads: 4 * TAGS },
];

/** A program with one image, whose target no other program has. */
function ofOneImage(title: string, args: object): Program {
  return imagesWith(title, ({ reference }) => ({
    registry: "myregistry",
    source: reference,
    targetTags: [`features/${slug(title)}:1`],
    ...args,
  }));
}

function ofOneRepository({ title, args }: RepositorySource): Program {
  return {
    ...repositories,
    title: `${repositories.title} from ${title}`,
    args: ({ reference }) => ({
      registry: "myregistry",
      source: reference,
      semver: ">=1",
      targetRepository: `features/${slug(title)}-tags`,
      ...args,
    }),
  };
}

/** An index that something refers to, signed with a key. */
function createSignedImage(emulator: Emulator, host: string): { source: SourceImage; key: string } {
  const reference = `${host}/${REPOSITORY}:1`;
  const { digest } = emulator.images.replace(reference, {
    kind: "index",
    referrers: [{ artifactType: "application/spdx+json" }],
  });
  return { source: { name: "app", reference, digest }, key: signImage(emulator, host, REPOSITORY, digest) };
}

function createTags({ images }: Emulator, host: string): SourceImage {
  const reference = `${host}/${REPOSITORY}-tags`;
  for (let minor = 0; minor < TAGS; minor++) {
    const image = `${reference}:1.${minor}.0`;
    if (images.describe(image) === undefined) images.replace(image, { kind: "manifest" });
  }
  return { name: "tags", reference, digest: "" };
}

function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z\d]+/g, "-")
    .replace(/^-|-$/g, "");
}
