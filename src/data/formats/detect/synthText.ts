import type { Detect } from './detected.js';

/** SynthText: gt.mat beside the folders of its images. */
export const detectSynthText: Detect = (listing) =>
  Promise.resolve(
    listing.files.includes('gt.mat')
      ? { certainty: 0.95, why: 'gt.mat stands beside the images', parts: {} }
      : undefined,
  );
