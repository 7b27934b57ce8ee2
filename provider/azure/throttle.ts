/** Holds requests back while a service is rate limiting, and then lets them go one after the other. */
import { setTimeout as sleep } from "node:timers/promises";
import { unlessAborted } from "../registry/promise-cache";

/** The signal aborted a request while it was held back. */
export class Throttled extends Error {
  override readonly name = "Throttled";
}

/**
 * What is rate limited together. Whoever was told to wait makes all others wait, too, so that each of them does not have to
 * find out for itself; and what waited for one moment does not come back in one moment.
 */
export class Throttle {
  /** When the wait ends, in milliseconds since the epoch; `undefined` while the service has not been rate limiting. */
  #end: number | undefined;
  #last: Promise<void> = Promise.resolve();

  /** @param spacingMs - The time between two requests once the service has been rate limiting. */
  constructor(private readonly spacingMs: number) {}

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
      await this.#untilOver(signal);
    } catch {
      throw new Throttled("the service kept rate limiting");
    } finally {
      // One that gives up lets nobody overtake.
      void before.then(leave);
    }
  }

  async #untilOver(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const end = this.#end ?? 0;
      await sleep(Math.max(end - Date.now(), this.spacingMs), undefined, signal && { signal });
      // The service may have asked for a longer wait meanwhile.
      if (this.#end === end) break;
    }
    this.#end = 0;
  }
}
