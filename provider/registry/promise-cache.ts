/** Shares work between callers that ask for the same thing. */
interface Entry<V> {
  readonly promise: Promise<V>;
  result?: V;
}

/**
 * Starts work once per key and shares its result. Failed work is forgotten, so that the next caller starts it again. A caller
 * whose signal aborts stops waiting; the others do not notice.
 */
export class PromiseCache<V> {
  readonly #entries = new Map<string, Entry<V>>();

  get(key: string, signal: AbortSignal | undefined, start: () => Promise<V>): Promise<V> {
    return unlessAborted((this.#entries.get(key) ?? this.#start(key, start)).promise, signal);
  }

  /** The result, if the work is done. */
  peek(key: string): V | undefined {
    return this.#entries.get(key)?.result;
  }

  /** Forgets a result, unless a newer one has taken its place. */
  forget(key: string, result: V): void {
    if (this.#entries.get(key)?.result === result) this.#entries.delete(key);
  }

  #start(key: string, start: () => Promise<V>): Entry<V> {
    const entry: Entry<V> = { promise: start() };
    this.#entries.set(key, entry);
    entry.promise.then(
      (result) => {
        entry.result = result;
      },
      () => this.#entries.delete(key),
    );
    return entry;
  }
}

/** The result of work, unless the signal aborts first. */
export function unlessAborted<V>(work: Promise<V>, signal: AbortSignal | undefined): Promise<V> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp);
    const done = () => signal.removeEventListener("abort", giveUp);
    work.then(resolve, reject).then(done, done);
  });
}
