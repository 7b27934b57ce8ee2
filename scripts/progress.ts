const EVERY_MS = 20_000;

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Says what goes on while `work` runs: at its begin, every 20 seconds, and at its end. */
export async function withProgress<T>(title: string, work: () => Promise<T>): Promise<T> {
  const began = Date.now();
  const elapsed = () => `${Math.round((Date.now() - began) / 1000)} s`;
  say(`${title} …`);
  const timer = setInterval(() => say(`${title} … ${elapsed()}`), EVERY_MS);
  try {
    const result = await work();
    say(`${title}: done in ${elapsed()}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}
