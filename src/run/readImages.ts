import type { ImageOptions } from '../data/pipeline/loader.js';
import type { Recipe } from '../recipe/schema.js';
import { taskOptions } from './taskOptions.js';

/** How a run reads its images, and a record of those that it could not read: by file, with the reason. */
export function readImages(recipe: Recipe): {
  readonly images: ImageOptions;
  readonly broken: ReadonlyMap<string, string>;
} {
  const broken = new Map<string, string>();
  const onDrop = (reason: string, file: string): void => void broken.set(file, reason);
  return { images: { ...taskOptions(recipe).images, onDrop }, broken };
}
