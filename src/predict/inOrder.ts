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
  const list: { reading?: Promise<void> | undefined; isOver: boolean; failure?: { readonly error: unknown } } = {
    isOver: false,
  };

  const begin = (item: T): void => {
    const result = work(item);
    result.catch(() => undefined); // it is thrown when its turn comes
    begun.push(result);
  };
  const read = async (): Promise<void> => {
    try {
      const next = await iterator.next();
      if (next.done) list.isOver = true;
      else begin(next.value);
    } catch (error) {
      list.isOver = true;
      list.failure = { error };
    }
  };
  try {
    while (!list.isOver || begun.length > 0) {
      if (!list.isOver && begun.length < ahead) list.reading ??= read().then(() => (list.reading = undefined));
      const { reading } = list;
      const [first] = begun;
      const isReady = first && (reading ? await Promise.race([reading.then(() => false), settled(first)]) : true);
      if (isReady) yield await begun.shift()!;
      else await reading;
    }
    if (list.failure) throw list.failure.error;
  } finally {
    if (!list.isOver) await iterator.return?.();
  }
}

const settled = (work: Promise<unknown>): Promise<true> =>
  work.then(
    () => true,
    () => true,
  );
