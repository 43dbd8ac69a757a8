/** Files that are open at a time. */
const AT_ONCE = 16;

/** Maps items whose files are read, some at a time. What comes without waiting, such as a value of the cache, costs no
 *  promise: a data set may have a hundred thousand files. */
export async function mapFiles<T, R>(items: readonly T[], map: (item: T) => R | Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      const result = map(items[index]!);
      results[index] = result instanceof Promise ? await result : result;
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, work));
  return results;
}
