/** Starts emulators for tests, and talks to their control API. */
import {
  type Emulator,
  type Fault,
  type HostSetting,
  type ImageDescription,
  type LogEntry,
  type ReferrerDescription,
  type ReferrerOptions,
  type SignedImageDescription,
  type SignedImageOptions,
  startEmulator,
} from "acr-emulator";

export const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
export const NOTATION = "application/vnd.cncf.notary.signature";
export const SBOM = "application/spdx+json";

/** 3 referrers of the index, one of which has a referrer itself, 1 of each platform, and what is under two of cosign's tags. */
const SIGNATURES: readonly ReferrerOptions[] = [
  { artifactType: BUNDLE },
  { artifactType: NOTATION },
  { artifactType: SBOM, referrers: [{ artifactType: BUNDLE }] },
  { artifactType: BUNDLE, platform: "linux/amd64" },
  { artifactType: BUNDLE, platform: "linux/arm64/v8" },
  { cosign: "sig" },
  { cosign: "att" },
];

export interface SignedImage {
  readonly digest: string;
  /** 8, in the order of the list above. */
  readonly referrers: readonly ReferrerDescription[];
}

export type RequestFilter = Partial<Record<"from" | "host" | "method" | "path" | "status", string | number>>;

/** A client of the control API. */
export class EmulatorControl {
  constructor(private readonly url: string) {}

  image(reference: string): Promise<ImageDescription> {
    return this.call("GET", "/image", { reference });
  }

  /** Moves the tag to a new image, as a publisher does who releases one; creates the tag if it does not exist. */
  moveTag(reference: string, options: SignedImageOptions = {}): Promise<SignedImageDescription> {
    return this.call("PUT", "/image", { reference }, options);
  }

  /** Moves the tag to a new index of two platforms, to which {@link SIGNATURES} refer. */
  async signedImage(reference: string): Promise<SignedImage> {
    const platforms = ["linux/amd64", "linux/arm64/v8"];
    const options = { platforms, attestations: false, referrers: SIGNATURES };
    const { digest, referrers = [] } = await this.moveTag(reference, options);
    return { digest, referrers };
  }

  /** Adds a referrer to an image, as a client does that signs it. */
  addReferrer(reference: string, options: ReferrerOptions = {}): Promise<ReferrerDescription> {
    return this.call("PUT", "/referrer", { reference }, options);
  }

  /** Pushes a folder in the OCI image layout; returns the digest of each tag. */
  pushLayout(reference: string, folder: string): Promise<Record<string, string>> {
    return this.call("PUT", "/layout", { reference }, { folder });
  }

  /** The digest of a reference; undefined if the image does not exist. */
  async digest(reference: string): Promise<string | undefined> {
    try {
      return (await this.image(reference)).digest;
    } catch (error) {
      if (error instanceof Error && error.message.includes(" answered 404")) return undefined;
      throw error;
    }
  }

  async removeTag(reference: string): Promise<void> {
    await this.call("DELETE", "/image", { reference });
  }

  /** The requests so far, oldest first; `path` may be a part of the path. */
  requests(filter: RequestFilter = {}): Promise<LogEntry[]> {
    return this.call("GET", "/requests", filter);
  }

  /** The requests that start an import. */
  imports(): Promise<LogEntry[]> {
    return this.requests({ from: "client", method: "POST", path: "/importImage" });
  }

  async clearRequests(): Promise<void> {
    await this.call("DELETE", "/requests");
  }

  /** Replaces all faults; without arguments it removes them. */
  async faults(...faults: Fault[]): Promise<void> {
    await this.call("PUT", "/faults", {}, faults);
  }

  /**
   * Sets what public names are: servers on this machine, `{ "registry.example.com": "http://127.0.0.1:5000" }`, or registries of
   * the emulator, `{ "ghcr.io": { "referrers": { "api": "redirect" } } }`.
   */
  async hosts(map: Record<string, HostSetting>): Promise<void> {
    await this.call("PUT", "/hosts", {}, map);
  }

  /** Sends any other request. */
  async call<T>(
    method: string,
    path: string,
    query: RequestFilter | Record<string, string> = {},
    body?: unknown,
  ): Promise<T> {
    const url = new URL(path, this.url);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    const response = await fetch(url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    if (!response.ok)
      throw new Error(`emulator: ${method} ${url.pathname}${url.search} answered ${response.status}: ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
}

export interface TestEmulator {
  /** Environment variables for child processes that use the emulator. */
  readonly env: NodeJS.ProcessEnv;
  readonly control: EmulatorControl;
  readonly server: Emulator;
}

/** Starts an emulator in this process; it is closed after the test file. */
export async function startTestEmulator(): Promise<TestEmulator> {
  const emulator = await startEmulator({ caller: {} });
  open.add(emulator);
  return { env: emulator.env, control: new EmulatorControl(emulator.control), server: emulator };
}

/** The emulator of a test file or of a `describe`, started before its first test. */
export function useEmulator(): TestEmulator {
  let emulator: TestEmulator | undefined;
  beforeAll(async () => {
    emulator = await startTestEmulator();
  });
  const started = (): TestEmulator => {
    if (emulator === undefined) throw new Error("the emulator is not running before the first test");
    return emulator;
  };
  return {
    get env() {
      return started().env;
    },
    get control() {
      return started().control;
    },
    get server() {
      return started().server;
    },
  };
}

/** Keeps imports running in Azure until the returned function is called. */
export async function holdImports({ control }: Pick<TestEmulator, "control">): Promise<() => Promise<void>> {
  const set = (importDurationMs: number) => control.call<void>("PUT", "/settings", {}, { importDurationMs });
  await set(3_600_000);
  return () => set(0);
}

/** How many requests each host got: `{ "registry-1.docker.io": 2 }`. */
export function countByHost(requests: readonly LogEntry[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { host } of requests) counts[host] = (counts[host] ?? 0) + 1;
  return counts;
}

const open = new Set<Emulator>();
afterAll(async () => {
  for (const emulator of open) await emulator.close();
});
