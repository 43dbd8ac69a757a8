/** `evaluate`, and `report`. */
import { z } from 'zod';
import { count, fraction } from './values.js';

const batch = count.default(8).describe('Images per call.');

export const boxEvaluation = z.strictObject({
  scoreThreshold: fraction.default(0.001).describe('Detections that score less are left out.'),
  nmsThreshold: fraction
    .default(0.6)
    .describe('A detection that overlaps a better one of its class by a larger IoU is left out.'),
  maxDetections: count.default(100).describe('Most detections per image, best first.'),
  batch,
});

export const classEvaluation = z.strictObject({ batch });

export const report = z.strictObject({
  images: z.int().min(0).default(24).describe('Images shown with their predictions, worst first.'),
});
