import { resolve, sep } from 'node:path';
import type { PartName } from '../../sample.js';

/** The places of the other parts, as the options of a data set write them. */
export const otherPlaces = (data: Partial<Record<PartName, unknown>>, part: PartName): string[] =>
  (['train', 'val', 'test'] as const)
    .filter((other) => other !== part)
    .flatMap((other) => data[other])
    .filter((place): place is string => typeof place === 'string');

/** Whether a file of a place belongs to another part, because that one's place lies inside of this one: `val` in a
 *  training part that is the whole folder. All paths are absolute. */
export const isOfOthers = (place: string, others: readonly string[]): ((file: string) => boolean) => {
  const inner = others.map((other) => resolve(other)).filter((other) => other.startsWith(`${resolve(place)}${sep}`));
  return (file) => inner.some((other) => file === other || file.startsWith(`${other}${sep}`));
};
