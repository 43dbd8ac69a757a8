/** Calls of a round at least, unless they are slow, and milliseconds after which it ends. */
const [LEAST_CALLS, ROUND] = [4, 250];

/** Calls for the time of a round, and returns the milliseconds of each call. It runs in a browser too. */
export async function timeRound(call: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  let spent = 0;
  while (spent < ROUND || (times.length < LEAST_CALLS && spent < LEAST_CALLS * ROUND)) {
    const before = performance.now();
    await call();
    times.push(performance.now() - before);
    spent += times.at(-1)!;
  }
  return times;
}
