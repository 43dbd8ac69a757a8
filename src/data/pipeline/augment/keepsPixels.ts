import type { AugmentOptions } from './augment.js';
import type { WholeImageAugment } from './augmentWhole.js';

/** Whether an image gives the same pixels in every epoch, but for the flip. */
export const keepsPixels = (options: AugmentOptions | WholeImageAugment): boolean =>
  Object.entries(options).every(([name, change]) => STILL.has(name) || change === false || change === 0);

const STILL: ReadonlySet<string> = new Set<keyof AugmentOptions>(['flip', 'closeMosaic', 'strength']);
