import { secondsOf } from '../../duration.js';

/** Tells when a checkpoint is due within an epoch: after a number of steps, or after a time such as 5m. The time is
 *  that of a monotonic clock, so that setting the system's clock changes nothing. */
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
