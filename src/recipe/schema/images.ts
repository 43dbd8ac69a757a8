/** Options that the data of every task have. */
import { z } from 'zod';

export const root = z
  .string()
  .min(1)
  .describe(
    "Folder of the data set. A relative path starts at the recipe's folder, or at the current directory if it is given by `--set`.",
  )
  .meta({ example: '../data/mine' });

export const brokenImages = z
  .enum(['error', 'drop'])
  .default('error')
  .describe(
    'Whether an image that is missing or cannot be decoded is an error, or is dropped and counted in the report.',
  )
  .meta({ when: 'Set `drop` once you know which images they are.' });

export const prefetch = z
  .int()
  .min(1)
  .max(64)
  .default(2)
  .describe(
    'Number of batches that are prepared in advance. Raise it if the speed of your disk varies; each batch takes memory.',
  )
  .meta({ example: 4 });
