import { FinetuneError } from '../errors.js';
import type { ParamAttrs } from '../graph/spec.js';
import type { Backbone } from '../models/backbone.js';

export interface FreezeOptions {
  /** Stages of the backbone from the input on, or the whole of it. */
  readonly stages: number | 'all';
  /** BatchNorms in the backbone's other stages: statistics of the batch; running ones; running ones with scale and shift fixed too. */
  readonly batchNorm: 'train' | 'eval' | 'frozen';
}

/** What training leaves alone. */
export interface FreezePlan {
  /** Whether the parameter keeps its bytes. */
  readonly frozen: (name: string) => boolean;
  /** Whether the BatchNorm at this path uses the statistics of the batch. */
  readonly trainBatchNorm: (path: string) => boolean;
}

/** Throws E_FREEZE_STAGES where the backbone has fewer stages. */
export function planFreeze(
  backbone: Backbone,
  parameters: ReadonlyMap<string, ParamAttrs>,
  { stages, batchNorm }: FreezeOptions,
): FreezePlan {
  const total = backbone.stages.length;
  if (stages !== 'all' && stages > total) {
    throw new FinetuneError({
      code: 'E_FREEZE_STAGES',
      message: `train.freeze.stages is ${stages}, but ${backbone.name} has ${total} stages`,
      fix: `use 0 to ${total}, or all`,
    });
  }
  const prefixes = backbone.stages.slice(0, stages === 'all' ? total : stages).flat();
  const inFrozenStage = (name: string): boolean => prefixes.some((prefix) => name.startsWith(`${prefix}.`));
  const inBackbone = (name: string): boolean => name.startsWith('backbone.');
  const trainBatchNorm = (path: string): boolean =>
    !inBackbone(path) || (batchNorm === 'train' && !inFrozenStage(`${path}.`));
  const frozen = (name: string): boolean => {
    if (inFrozenStage(name)) return true;
    const role = parameters.get(name)?.role;
    const path = name.slice(0, name.lastIndexOf('.'));
    if (role === 'mean' || role === 'variance') return !trainBatchNorm(path);
    return (role === 'scale' || role === 'shift') && batchNorm === 'frozen' && inBackbone(name);
  };
  return { frozen, trainBatchNorm };
}
