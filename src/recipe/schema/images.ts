/** Options that the data of every task have. */
import { z } from 'zod';

export const root = z
  .string()
  .min(1)
  .describe(
    "Folder of the data set. A relative one counts from the recipe's folder, or from the current directory when it is given by `--set`.",
  );

export const brokenImages = z
  .enum(['error', 'drop'])
  .default('error')
  .describe('What to do with an image that is missing or cannot be decoded. What is dropped is counted in the report.');

export const prefetch = z
  .int()
  .min(1)
  .max(64)
  .default(2)
  .describe('Batches prepared ahead of the step that needs them.');
