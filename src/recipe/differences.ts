import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { resolvedRecipeText } from './resolved.js';
import type { Recipe } from './schema.js';

/** Options that the weights do not depend on, so that they may change when a run is continued. */
const WITHOUT_EFFECT = ['out', 'report.images', 'data.prefetch', 'train.logEvery', 'train.checkpointEvery'];
/** Options that `--extend` changes. A step depends on them through the learning rate alone. */
export const LENGTH = ['train.epochs', 'train.earlyStop', 'train.earlyStop.patience', 'train.earlyStop.minDelta'];

/** Options that a later version has added, with the values that change nothing. They count only with other values, so that
 *  checkpoints of earlier versions can be continued. */
const ADDED: Readonly<Record<string, string>> = { 'train.syncBatchNorm': 'false' };

export interface Difference {
  /** Dotted path of the option. */
  readonly path: string;
  /** The values as JSON; "absent" if the option does not exist. */
  readonly before: string;
  readonly after: string;
}

/** The differences between two recipes in options that the weights depend on. */
export function recipeDifferences(before: Recipe, after: Recipe): Difference[] {
  const [old, now] = [recipeOptions(before), recipeOptions(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((path) => {
    const [one, other] = [old.get(path) ?? 'absent', now.get(path) ?? 'absent'];
    return one === other ? [] : [{ path, before: one, after: other }];
  });
}

export const describeDifference = ({ path, before, after }: Difference): string =>
  `${path}: ${before} before, ${after} now`;

/** SHA-256 of the options that a step depends on. A checkpoint holds it, and continues only a run with the same
 *  options. */
export function recipeIdentity(recipe: Recipe): string {
  const lasting = [...recipeOptions(recipe)].filter(([path, value]) => !LENGTH.includes(path) && ADDED[path] !== value);
  return createHash('sha256').update(JSON.stringify(lasting)).digest('hex');
}

/** The options that the weights depend on, by their dotted paths. A list counts as one option. */
export function recipeOptions(recipe: Recipe): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) found.set(path, JSON.stringify(value));
    else for (const [key, inner] of Object.entries(value)) visit(inner, path ? `${path}.${key}` : key);
  };
  visit(parse(resolvedRecipeText(recipe)), '');
  for (const path of WITHOUT_EFFECT) found.delete(path);
  return found;
}
