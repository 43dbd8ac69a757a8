/** Works on the items of a list, `ahead` of them at once, and returns each result as soon as it and those before it are
 *  there, in the order of the items. Items are read as they are needed, so that a list of any length takes the memory of
 *  `ahead` results, and a slow one delays no result. An error of the list is thrown after the results before it. */
export async function* inOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  work: (item: T) => Promise<R>,
  ahead: number,
): AsyncGenerator<R, void, undefined> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const begun: Promise<R>[] = [];
  let reading: Promise<void> | undefined;
  let isOver = false;
  let failure: { readonly error: unknown } | undefined;

  const begin = (item: T): void => {
    const result = work(item);
    result.catch(() => undefined); // it is thrown when its turn comes
    begun.push(result);
  };
  const read = async (): Promise<void> => {
    try {
      const next = await iterator.next();
      if (next.done) isOver = true;
      else begin(next.value);
    } catch (error) {
      [isOver, failure] = [true, { error }];
    }
  };
  const hasRead = (): void => {
    reading = undefined;
  };
  try {
    while (!isOver || begun.length > 0) {
      if (!isOver && begun.length < ahead) reading ??= read().then(hasRead);
      const [first] = begun;
      const isReady = first && (reading ? await Promise.race([reading.then(() => false), settled(first)]) : true);
      if (isReady) yield await begun.shift()!;
      else await reading;
    }
    if (failure) throw failure.error;
  } finally {
    if (!isOver) await iterator.return?.();
  }
}

const settled = (work: Promise<unknown>): Promise<true> =>
  work.then(
    () => true,
    () => true,
  );
