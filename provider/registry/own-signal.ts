/** Ends requests whose result nobody waits for any more. */

/** Runs work with a signal that aborts with the caller's, and when the work ends: one failure ends what runs beside it. */
export async function withOwnSignal<T>(
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  try {
    return await work(signal ? AbortSignal.any([signal, controller.signal]) : controller.signal);
  } finally {
    controller.abort();
  }
}
