/**
 * Bounds the requests in flight to one host. An agent's own `maxSockets` does not: it counts a connection through a proxy
 * only once that is made, and forgets the requests that wait for one that fails.
 */
import { CONNECTIONS_PER_HOST } from "./agents";

const queues = new Map<string, HostQueue>();

/** Runs work when a connection to the host is free. A signal ends the wait, and not the work. */
export async function inTurn<T>(host: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const queue = queues.get(host) ?? new HostQueue();
  queues.set(host, queue);
  await queue.enter(signal);
  try {
    return await work();
  } finally {
    queue.leave();
  }
}

class HostQueue {
  #running = 0;
  readonly #waiting = new Set<() => void>();

  enter(signal: AbortSignal | undefined): Promise<void> | undefined {
    signal?.throwIfAborted();
    if (this.#running < CONNECTIONS_PER_HOST) {
      this.#running++;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const proceed = () => {
        signal?.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.delete(proceed);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(proceed);
    });
  }

  leave(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
