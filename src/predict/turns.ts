/** Lets work begin in the order in which it comes. */
export interface Turns {
  /** Does the work when all work before it is done, or beside up to `lanes` − 1 others that were given so many lanes. */
  take<T>(work: () => Promise<T>, lanes: number): Promise<T>;
  /** Whether no work is under way or waits. */
  isIdle(): boolean;
}

export function createTurns(): Turns {
  const waiting: { readonly lanes: number; readonly begin: () => void }[] = [];
  let [running, lanesOfRunning] = [0, 1];

  const beginNext = (): void => {
    for (let [next] = waiting; next; [next] = waiting) {
      const { lanes, begin } = next;
      if (running > 0 && (lanes !== lanesOfRunning || running >= lanes)) return;
      waiting.shift();
      running++;
      lanesOfRunning = lanes;
      begin();
    }
  };
  return {
    async take(work, lanes) {
      await new Promise<void>((begin) => {
        waiting.push({ lanes, begin });
        beginNext();
      });
      try {
        return await work();
      } finally {
        running--;
        beginNext();
      }
    },
    isIdle: () => running === 0 && waiting.length === 0,
  };
}
