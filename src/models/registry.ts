import { closest, distance } from 'fastest-levenshtein';
import { FinetuneError } from '../errors.js';
import type { Backbone } from './backbone.js';
import { mobilenetv2 } from './backbones/mobilenetv2.js';

export const backbones: ReadonlyMap<string, Backbone> = new Map(
  [...mobilenetv2].map((backbone) => [backbone.name, backbone]),
);

/** Throws E_MODEL_UNKNOWN with the nearest name. */
export function findBackbone(name: string): Backbone {
  const found = backbones.get(name);
  if (found) return found;
  const names = [...backbones.keys()];
  const near = closest(name, names);
  const fix = distance(name, near) <= name.length / 2 ? `did you mean "${near}"?` : `one of ${names.join(', ')}`;
  throw new FinetuneError({ code: 'E_MODEL_UNKNOWN', message: `there is no backbone "${name}"`, fix });
}
