/** Keeps the SDK from capturing stack traces that nobody sees. */

/**
 * Suppresses stack traces until they are restored. For each property of a resource the SDK captures four, which only its
 * promise leak detector shows; they cost a fifth of the processor time of a program with a hundred images (`npm run bench`).
 * `PULUMI_DEBUG_PROMISE_LEAKS` keeps them. The trace of the declaration itself has a limit of its own in the SDK.
 *
 * Not a base class: the SDK takes the caller of the class that extends its own for the line of the declaration, which it
 * records as the position in the source.
 */
export function suppressStackTraces() {
  const { stackTraceLimit } = Error;
  if (!process.env.PULUMI_DEBUG_PROMISE_LEAKS) Error.stackTraceLimit = 0;
  const restore = () => {
    Error.stackTraceLimit = stackTraceLimit;
  };
  return {
    restore,
    /** Gives an error the stack trace that it lacks, from the caller of a function on. */
    restoreIn: (error: unknown, caller: NewableFunction): unknown => {
      restore();
      if (error instanceof Error) Error.captureStackTrace(error, caller);
      return error;
    },
  };
}
