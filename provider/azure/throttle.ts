/** Holds requests back while a service is rate limiting, and lets them go on little by little. */
import { setTimeout as sleep } from "node:timers/promises";
import { unlessAborted } from "../registry/promise-cache";

/** The signal aborted a request while it was held back. */
export class Throttled extends Error {
  override readonly name = "Throttled";
}

/** How requests go on after a wait. */
export interface ThrottleOptions {
  /** How many go on at once: a service grants some again during the wait. */
  readonly burst: number;
  /** The time before each of the others, in milliseconds. */
  readonly spacingMs: number;
}

/**
 * Requests that are rate limited together. Whoever is told to wait makes all others wait, too, so that each of them does not
 * have to find out for itself; and those that waited for one moment do not all come back in that moment.
 */
export class Throttle {
  /** When the wait ends, in milliseconds since the epoch; `undefined` while the service has never been rate limiting. */
  #end: number | undefined;
  /** How many may go on at once. */
  #free = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(private readonly options: ThrottleOptions) {}

  /** Whether the service has been rate limiting. */
  get hasHeld(): boolean {
    return this.#end !== undefined;
  }

  /** Whether requests are held back at the moment. */
  get isHolding(): boolean {
    return (this.#end ?? 0) > Date.now();
  }

  /** Holds back all requests from now on. Of two waits, the one that ends later counts. */
  hold(ms: number): void {
    this.#end = Math.max(this.#end ?? 0, Date.now() + ms);
  }

  /**
   * Resolves when it is the caller's turn to send a request.
   *
   * @throws Throttled when the signal aborts first
   */
  async enter(signal?: AbortSignal): Promise<void> {
    if (this.#end === undefined) return;
    const before = this.#last;
    let leave = () => {};
    this.#last = new Promise((resolve) => {
      leave = resolve;
    });
    try {
      await unlessAborted(before, signal);
      await this.#untilFree(signal);
    } catch {
      throw new Throttled("the service kept rate limiting");
    } finally {
      // One that gives up lets nobody overtake.
      void before.then(leave);
    }
  }

  async #untilFree(signal: AbortSignal | undefined): Promise<void> {
    const { burst, spacingMs } = this.options;
    const wait = (ms: number) => sleep(ms, undefined, signal && { signal });
    if (!this.isHolding && this.#free === 0) await wait(spacingMs);
    while (this.isHolding) {
      const end = this.#end;
      await wait((end ?? 0) - Date.now());
      // The service may have asked for a longer wait meanwhile.
      if (this.#end !== end) continue;
      this.#end = 0;
      this.#free = burst;
    }
    this.#free = Math.max(0, this.#free - 1);
  }
}
