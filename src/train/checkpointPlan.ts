import { secondsOf } from '../duration.js';

/** Says when a checkpoint is due in the middle of an epoch: every so many steps, or so much time by a clock that nobody sets. */
export function planCheckpoints(every: number | string, step: number) {
  let last = typeof every === 'number' ? step : performance.now();
  return {
    isDue(now: number): boolean {
      const [place, distance] = typeof every === 'number' ? [now, every] : [performance.now(), 1000 * secondsOf(every)];
      if (place - last < distance) return false;
      last = place;
      return true;
    },
  };
}
