/** Notices that the process which started this one has ended, however it ended. */

const intervalMs = 200;

/**
 * Calls back once when the process `pid` has ended, or, under npm, when the parent process has; returns how to stop.
 *
 * npm passes no signal on to the commands of a script, and gives them no pipe that closes with it: they inherit its own
 * standard streams, which the terminal or the caller of npm holds. So this polls, as `tail --pid` does. The parent alone
 * is not enough: it can be the shell that npm started, which survives when npm is killed.
 */
export function whenStarterEnds(pid: number | undefined, act: () => void): () => void {
  const parent = process.env.npm_lifecycle_event === undefined ? undefined : process.ppid;
  const hasEnded = () => (pid !== undefined && !isRunning(pid)) || (parent !== undefined && process.ppid !== parent);
  const timer = setInterval(() => {
    if (!hasEnded()) return;
    clearInterval(timer);
    act();
  }, intervalMs).unref();
  return () => clearInterval(timer);
}

/** Whether a process exists; one of another user does, although it may not be signalled. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
