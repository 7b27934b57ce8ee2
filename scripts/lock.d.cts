/** Types of lock.cjs. */

/** Runs `work` while no other process holds the lock `file`; a lock whose holder has died is taken over. */
export function withLock<T>(file: string, work: () => Promise<T>, onWait?: () => void): Promise<T>;
