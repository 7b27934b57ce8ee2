import { type Emulator, startEmulator } from "../../emulator/emulator";
import type { Fault } from "../../emulator/faults";
import type { ImageDescription, ImageOptions } from "../../emulator/registry/images";
import type { LogEntry } from "../../emulator/request-log";

export type RequestFilter = Partial<Record<"from" | "host" | "method" | "path" | "status", string | number>>;

/** The emulator's control API. */
export class EmulatorControl {
  constructor(private readonly url: string) {}

  image(reference: string): Promise<ImageDescription> {
    return this.call("GET", "/image", { reference });
  }

  /** A new image behind the tag, as when its publisher releases one; made when there is none. */
  moveTag(reference: string, options: ImageOptions = {}): Promise<ImageDescription> {
    return this.call("PUT", "/image", { reference }, options);
  }

  /** The digest behind a reference; nothing when there is no such image. */
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

  /** Requests so far, oldest first; `path` may be a part of the path. */
  requests(filter: RequestFilter = {}): Promise<LogEntry[]> {
    return this.call("GET", "/requests", filter);
  }

  /** The requests that asked Azure for an import. */
  imports(): Promise<LogEntry[]> {
    return this.requests({ from: "client", method: "POST", path: "/importImage" });
  }

  async clearRequests(): Promise<void> {
    await this.call("DELETE", "/requests");
  }

  /** The faults from now on, instead of those before; none ends them. */
  async faults(...faults: Fault[]): Promise<void> {
    await this.call("PUT", "/faults", {}, faults);
  }

  /** Puts real servers behind public-looking names: `{ "registry.example.com": "http://127.0.0.1:5000" }`. */
  async hosts(map: Record<string, string | null>): Promise<void> {
    await this.call("PUT", "/hosts", {}, map);
  }

  /** Any other call. */
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

export interface Box {
  /** Variables for every child process that shall live in the emulator's world. */
  readonly env: NodeJS.ProcessEnv;
  readonly control: EmulatorControl;
  readonly emulator: Emulator;
}

/** Starts the emulator inside this test process; it ends with the test file. */
export async function startBox(): Promise<Box> {
  const emulator = await startEmulator({ caller: {} });
  open.add(emulator);
  return { env: emulator.env, control: new EmulatorControl(emulator.control), emulator };
}

/** The emulator of a whole test file, or of a `describe`; it starts before the first test there. */
export function sharedBox(): Box {
  let box: Box | undefined;
  beforeAll(async () => {
    box = await startBox();
  });
  const started = (): Box => {
    if (box === undefined) throw new Error("the emulator starts before the first test, and not earlier");
    return box;
  };
  return {
    get env() {
      return started().env;
    },
    get control() {
      return started().control;
    },
    get emulator() {
      return started().emulator;
    },
  };
}

/** Keeps imports running in Azure until the returned function is called. */
export async function holdImports({ control }: Pick<Box, "control">): Promise<() => Promise<void>> {
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
