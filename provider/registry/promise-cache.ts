interface Entry<V> {
  readonly promise: Promise<V>;
  result?: V;
}

/**
 * Work that several callers wait for is done once. What failed is forgotten, so that the next caller tries again;
 * a caller that gives up does not disturb the others.
 */
export class PromiseCache<V> {
  readonly #entries = new Map<string, Entry<V>>();

  get(key: string, signal: AbortSignal | undefined, start: () => Promise<V>): Promise<V> {
    return unlessAborted((this.#entries.get(key) ?? this.#start(key, start)).promise, signal);
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

function unlessAborted<V>(work: Promise<V>, signal: AbortSignal | undefined): Promise<V> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp);
    const done = () => signal.removeEventListener("abort", giveUp);
    work.then(resolve, reject).then(done, done);
  });
}
