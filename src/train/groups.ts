import { FinetuneError, type Problem } from '../errors.js';
import type { ParamAttrs } from '../graph/spec.js';
import type { Group } from '../graph/update.js';
import type { Backbone } from '../models/backbone.js';
import { matches } from '../weights/patterns.js';

export interface GroupOptions {
  /** Patterns of parameter names, each with a factor on the learning rate and a weight decay of its own; empty for a
   *  single group. */
  readonly groups: readonly {
    readonly pattern: string;
    readonly lr: number;
    readonly weightDecay?: number | undefined;
  }[];
  /** Factor on the learning rate of the backbone's parameters. */
  readonly backboneLr: number;
  /** Factor on the learning rate from each stage of the backbone to the one before it. */
  readonly layerDecay: number;
  readonly weightDecay: number;
  /** `weights` decays the weights of convolutions and linear layers; `all` decays biases and BatchNorm's scale and
   *  shift too. */
  readonly decayOn: 'weights' | 'all';
}

/** Decides the learning rate and the weight decay of each of the given parameters. Where there are groups, every
 *  parameter must match exactly one of their patterns (as in big_vision). Layer-wise decay: Clark et al. 2020
 *  (arXiv:2003.10555), §3.4: the head has factor 1, the last stage the decay, the first stage its highest power.
 *  Throws E_GROUP_PATTERN for all parameters without a group or with several, and for patterns that match nothing. */
export function planGroups(
  backbone: Backbone,
  parameters: ReadonlyMap<string, ParamAttrs>,
  names: readonly string[],
  { groups, backboneLr, layerDecay, weightDecay, decayOn }: GroupOptions,
): (name: string) => Group {
  const found = new Map(names.map((name) => [name, groups.filter(({ pattern }) => matches([pattern], name))]));
  const problems: Problem[] = [];
  const add = (option: string, message: string, fix: string): void =>
    void problems.push({ code: 'E_GROUP_PATTERN', option, message, fix });
  const listed = (all: readonly string[]): string =>
    all.slice(0, 5).join(', ') + (all.length > 5 ? ` and ${all.length - 5} more` : '');
  const without = names.filter((name) => groups.length > 0 && found.get(name)!.length === 0);
  if (without.length > 0)
    add(
      'train.groups',
      `no pattern of train.groups matches ${listed(without)}`,
      'add a group for them: every parameter needs one',
    );
  for (const [i, { pattern }] of groups.entries()) {
    const own = names.filter((name) => found.get(name)!.some((group) => group.pattern === pattern));
    if (own.length === 0)
      add(
        `train.groups.${i}.pattern`,
        `train.groups[${i}].pattern "${pattern}" matches no trained parameter`,
        'remove it, or look the names up with finetune models',
      );
    const shared = own.filter((name) => found.get(name)!.length > 1);
    if (shared.length > 0)
      add(
        `train.groups.${i}.pattern`,
        `train.groups[${i}].pattern "${pattern}" matches ${listed(shared)}, which another group matches too`,
        'let each parameter match one pattern',
      );
  }
  if (problems.length > 0) throw new FinetuneError(problems);

  const { stages } = backbone;
  const depthOf = (name: string): number => {
    const stage = stages.findIndex((prefixes) => prefixes.some((prefix) => name.startsWith(`${prefix}.`)));
    return stage < 0 ? 0 : stages.length - stage;
  };
  return (name) => {
    const [group] = found.get(name) ?? [];
    const scale = name.startsWith('backbone.') ? backboneLr * layerDecay ** depthOf(name) : 1;
    const decays = decayOn === 'all' || parameters.get(name)?.role === 'weight';
    return { lr: scale * (group?.lr ?? 1), weightDecay: decays ? (group?.weightDecay ?? weightDecay) : 0 };
  };
}
