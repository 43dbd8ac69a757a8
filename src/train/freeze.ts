import { FinetuneError } from '../errors.js';
import type { ParamAttrs } from '../graph/spec.js';
import type { Backbone } from '../models/backbone.js';
import { matches } from '../weights/patterns.js';

/** A number of the backbone's stages, counted from the input; the whole backbone; or patterns of parameter names. */
export type FrozenPart = number | 'all' | readonly string[];

export interface FreezeOptions {
  readonly stages: FrozenPart;
  /** BatchNorms in the backbone's trained stages. `train` normalises with the batch's statistics, `eval` with the
   *  running ones; `frozen` is `eval` with scale and shift fixed too. */
  readonly batchNorm: 'train' | 'eval' | 'frozen';
  /** Later phases, in the order of their epochs: what is frozen once so many epochs are done, and a factor on the
   *  learning rate from then on. */
  readonly unfreeze?:
    readonly { readonly epoch: number; readonly stages: FrozenPart; readonly lr: number }[] | undefined;
}

/** What is frozen during one part of a run, and the factor on the learning rate meanwhile. */
export interface FreezePhase extends Pick<FreezeOptions, 'stages' | 'batchNorm'> {
  readonly lr: number;
}

/** Which parameters training leaves alone. */
export interface FreezePlan {
  /** Whether the parameter keeps its bytes. */
  readonly frozen: (name: string) => boolean;
  /** Whether the BatchNorm at this path normalises with the batch's statistics. */
  readonly trainBatchNorm: (path: string) => boolean;
}

/** The phases of a run: the first one, and one for each entry of `unfreeze`. */
export const freezePhases = ({ stages, batchNorm, unfreeze = [] }: FreezeOptions): FreezePhase[] => [
  { stages, batchNorm, lr: 1 },
  ...unfreeze.map(({ stages, lr }) => ({ stages, batchNorm, lr })),
];

/** Index of the phase that an epoch, counted from 0, belongs to. */
export const phaseAt = (epoch: number, { unfreeze = [] }: FreezeOptions): number =>
  unfreeze.filter((thaw) => thaw.epoch <= epoch).length;

/** The frozen part in words. */
export const describeFrozen = (stages: FrozenPart): string =>
  typeof stages === 'object' ? stages.join(', ') || 'none' : String(stages);

/** Decides for every parameter whether it is frozen.
 *  Throws E_FREEZE_STAGES where the backbone has fewer stages, or a pattern matches nothing. */
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

/** Tells which names belong to the frozen part. */
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
