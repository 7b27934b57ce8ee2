/** Runs work on many images, some at a time. */

/** How many images are imported, read or removed at the same time; Pulumi's default for resources is similar. */
const AT_ONCE = 16;

/** Runs `work` on all items, in their order, until `isOver`. `work` must not reject. */
export async function inPool<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  isOver: () => boolean = () => false,
): Promise<void> {
  const queue = items.values();
  const run = async () => {
    for (const item of queue) {
      if (isOver()) return;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
}
