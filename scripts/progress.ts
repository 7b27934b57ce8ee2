/** Status lines on stderr. */

const INTERVAL_MS = 20_000;

export function printStatus(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Prints a line when `work` begins, every 20 seconds while it runs, and when it ends. */
export async function withProgress<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  const elapsed = () => `${Math.round((Date.now() - started) / 1000)} s`;
  printStatus(`${title} …`);
  const timer = setInterval(() => printStatus(`${title} … ${elapsed()}`), INTERVAL_MS);
  try {
    const result = await work();
    printStatus(`${title}: done in ${elapsed()}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}
