/** Time that passes only when a test says so, for code that sleeps with `node:timers/promises` and reads `Date.now`. */
import promises from "node:timers/promises";

interface Sleeper {
  readonly ends: number;
  readonly wake: () => void;
}

/** Stops time for the rest of the test. */
export class ManualTime {
  #now = 1_000_000;
  readonly #sleepers = new Set<Sleeper>();

  constructor() {
    jest.spyOn(Date, "now").mockImplementation(() => this.#now);
    const sleep = (ms = 0, value?: unknown, { signal }: { signal?: AbortSignal } = {}) =>
      new Promise((resolve, reject) => {
        const giveUp = () => {
          this.#sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const wake = () => {
          signal?.removeEventListener("abort", giveUp);
          resolve(value);
        };
        const sleeper = { ends: this.#now + ms, wake };
        this.#sleepers.add(sleeper);
        if (signal?.aborted) giveUp();
        signal?.addEventListener("abort", giveUp);
      });
    jest.spyOn(promises, "setTimeout").mockImplementation(sleep as typeof promises.setTimeout);
  }

  /** Lets time pass, and everything happen that happens meanwhile. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = [...this.#sleepers].sort((one, other) => one.ends - other.ends).find(({ ends }) => ends <= end);
      if (!next) break;
      this.#now = Math.max(this.#now, next.ends);
      this.#sleepers.delete(next);
      next.wake();
    }
    this.#now = end;
  }
}

/** Runs all promise callbacks that are due. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
