import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { resolvedRecipeText } from './resolved.js';
import type { Recipe } from './schema.js';

/** Options that the weights do not depend on: another value may be given when a run goes on. */
const WITHOUT_EFFECT = ['out', 'report.images', 'data.prefetch', 'train.logEvery', 'train.checkpointEvery'];
/** `--extend` changes them, and a step does not depend on them but for the learning rate. */
export const LENGTH = ['train.epochs', 'train.earlyStop', 'train.earlyStop.patience', 'train.earlyStop.minDelta'];

export interface Difference {
  /** Dotted. */
  readonly path: string;
  /** As YAML has them; "absent" where the option does not exist. */
  readonly before: string;
  readonly after: string;
}

/** Where two recipes say something different that decides about the weights. */
export function recipeDifferences(before: Recipe, after: Recipe): Difference[] {
  const [old, now] = [options(before), options(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((path) => {
    const [one, other] = [old.get(path) ?? 'absent', now.get(path) ?? 'absent'];
    return one === other ? [] : [{ path, before: one, after: other }];
  });
}

export const describeDifference = ({ path, before, after }: Difference): string =>
  `${path}: ${before} before, ${after} now`;

/** SHA-256 of what decides about the weights of a step: what a checkpoint belongs to. */
export function recipeIdentity(recipe: Recipe): string {
  const lasting = [...options(recipe)].filter(([path]) => !LENGTH.includes(path));
  return createHash('sha256').update(JSON.stringify(lasting)).digest('hex');
}

/** Every option by its dotted path, lists as a whole. */
function options(recipe: Recipe): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) found.set(path, JSON.stringify(value));
    else for (const [key, inner] of Object.entries(value)) visit(inner, path ? `${path}.${key}` : key);
  };
  visit(parse(resolvedRecipeText(recipe)), '');
  for (const path of WITHOUT_EFFECT) found.delete(path);
  return found;
}
