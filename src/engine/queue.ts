/** Tasks in the order in which they come. */
export interface Queue {
  /** Starts a task when all tasks before it have ended, well or not. */
  alone<T>(task: () => Promise<T> | T): Promise<T>;
  /** Starts a task when all that must run alone have ended of those before it: it runs beside others of its kind. */
  together<T>(task: () => Promise<T> | T): Promise<T>;
}

export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve(); // of the tasks that run alone
  const beside = new Set<Promise<unknown>>();
  return {
    alone(task) {
      const result = Promise.allSettled([last, ...beside]).then(task);
      last = result.catch(() => undefined);
      return result;
    },
    together(task) {
      const result = last.then(task);
      beside.add(result);
      const ended = (): void => void beside.delete(result);
      result.then(ended, ended);
      return result;
    },
  };
}
