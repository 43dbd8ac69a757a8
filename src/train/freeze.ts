import { FinetuneError } from '../errors.js';
import type { ParamAttrs } from '../graph/spec.js';
import type { Backbone } from '../models/backbone.js';
import { matches } from '../weights/patterns.js';

/** Stages of the backbone from the input on, the whole of it, or patterns of parameters' names. */
export type FrozenPart = number | 'all' | readonly string[];

export interface FreezeOptions {
  readonly stages: FrozenPart;
  /** BatchNorms in the backbone's other stages: statistics of the batch; running ones; running ones with scale and shift fixed too. */
  readonly batchNorm: 'train' | 'eval' | 'frozen';
  /** What is frozen instead, when so many epochs are done, and a factor on the learning rate from then on. In the order of the epochs. */
  readonly unfreeze?:
    readonly { readonly epoch: number; readonly stages: FrozenPart; readonly lr: number }[] | undefined;
}

/** What training leaves alone. */
export interface FreezePlan {
  /** Whether the parameter keeps its bytes. */
  readonly frozen: (name: string) => boolean;
  /** Whether the BatchNorm at this path uses the statistics of the batch. */
  readonly trainBatchNorm: (path: string) => boolean;
}

/** What is frozen at first, and after each thawing. */
export const freezePhases = ({
  stages,
  batchNorm,
  unfreeze = [],
}: FreezeOptions): (FreezeOptions & { readonly lr: number })[] => [
  { stages, batchNorm, lr: 1 },
  ...unfreeze.map(({ stages, lr }) => ({ stages, batchNorm, lr })),
];

/** Which of the phases an epoch, counted from 0, is in. */
export const phaseAt = (epoch: number, { unfreeze = [] }: FreezeOptions): number =>
  unfreeze.filter((thaw) => thaw.epoch <= epoch).length;

/** Throws E_FREEZE_STAGES where the backbone has fewer stages, or a pattern matches nothing. */
export function planFreeze(
  backbone: Backbone,
  parameters: ReadonlyMap<string, ParamAttrs>,
  { stages, batchNorm }: FreezeOptions,
): FreezePlan {
  const inFrozenStage = frozenPart(backbone, parameters, stages);
  const inBackbone = (name: string): boolean => name.startsWith('backbone.');
  const trainBatchNorm = (path: string): boolean =>
    !inFrozenStage(`${path}.running_mean`) && (!inBackbone(path) || batchNorm === 'train');
  const frozen = (name: string): boolean => {
    if (inFrozenStage(name)) return true;
    const role = parameters.get(name)?.role;
    const path = name.slice(0, name.lastIndexOf('.'));
    if (role === 'mean' || role === 'variance') return !trainBatchNorm(path);
    return (role === 'scale' || role === 'shift') && batchNorm === 'frozen' && inBackbone(name);
  };
  return { frozen, trainBatchNorm };
}

/** Which names belong to the frozen part. */
function frozenPart(
  backbone: Backbone,
  parameters: ReadonlyMap<string, ParamAttrs>,
  stages: FrozenPart,
): (name: string) => boolean {
  const wrong = (message: string, fix: string): FinetuneError =>
    new FinetuneError({ code: 'E_FREEZE_STAGES', option: 'train.freeze', message, fix });
  if (typeof stages === 'object') {
    const idle = stages.filter((pattern) => ![...parameters.keys()].some((name) => matches([pattern], name)));
    if (idle.length > 0)
      throw wrong(
        `train.freeze.stages: ${idle.join(', ')} matches no parameter`,
        'write names as in a checkpoint, * for anything: backbone.blocks.0.*',
      );
    return (name) => matches(stages, name);
  }
  const total = backbone.stages.length;
  if (stages !== 'all' && stages > total)
    throw wrong(
      `train.freeze.stages is ${stages}, but ${backbone.name} has ${total} stages`,
      `use 0 to ${total}, or all`,
    );
  const prefixes = backbone.stages.slice(0, stages === 'all' ? total : stages).flat();
  return (name) => prefixes.some((prefix) => name.startsWith(`${prefix}.`));
}
