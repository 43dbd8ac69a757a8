import type { Param, Params } from '../../graph/params.js';
import type { RawTensor } from '../decode/rawTensor.js';

/** A published file's arrays under our names, in the layout of the file. */
export interface NamedWeights {
  readonly params: Params;
  /** Categories of the class predictor's columns, '' for one without a name; undefined where the format does not say. */
  readonly categories: readonly string[] | undefined;
  /** Batch normalisations that the file holds folded ("backbone.bn1"): mean 0, variance 1 − ε, and scale and shift such
   *  that the function is equal. Their true statistics are unknown: keep them frozen, or train with care. */
  readonly folded: readonly string[];
  /** Arrays that are no weights: counters, constants of pre- and post-processing. */
  readonly setAside: readonly string[];
}

/** How one family's publisher calls what we call as timm does. */
export interface NameMap {
  /** For people: whose names they are. */
  readonly origin: string;
  /** Our models that can have these weights; TensorFlow's have another padding and another ε than PyTorch's. */
  readonly models: RegExp;
  readonly recognises: (raw: ReadonlyMap<string, RawTensor>) => boolean;
  readonly apply: (raw: ReadonlyMap<string, RawTensor>, file: string) => NamedWeights;
}

interface Renaming extends Pick<NameMap, 'origin' | 'models' | 'recognises'> {
  /** Our name, or undefined for what is no weight. */
  readonly rename: (name: string, raw: ReadonlyMap<string, RawTensor>) => string | undefined;
  /** Our shape, where the publisher stores the same values in another one. */
  readonly reshape?: (name: string, shape: readonly number[]) => readonly number[];
}

/** A map that renames and nothing else. Integers (BatchNorm's counters) are no weights. */
export function renaming({ rename, reshape = (_, shape) => shape, ...map }: Renaming): NameMap {
  return {
    ...map,
    apply: (raw) => {
      const params = new Map<string, Param>();
      const setAside: string[] = [];
      for (const [name, { shape, data }] of raw) {
        const ours = data instanceof Float32Array ? rename(name, raw) : undefined;
        if (ours === undefined) setAside.push(name);
        else params.set(ours, { shape: reshape(ours, shape), data: data as Float32Array });
      }
      return { params, categories: undefined, folded: [], setAside };
    },
  };
}

/** "stage.block" of every block in order, for so many blocks a stage. */
export const blockPaths = (repeats: readonly number[]): string[] =>
  repeats.flatMap((blocks, stage) => Array.from({ length: blocks }, (_, block) => `${stage}.${block}`));

/** Keras' variables in PyTorch's words. */
const KERAS_VARIABLES: Readonly<Record<string, string>> = {
  kernel: 'weight',
  bias: 'bias',
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};

/** A Keras file by its layers: `rename` gives our path of a layer. */
export const kerasRenaming = ({
  rename,
  ...map
}: Omit<Renaming, 'rename'> & { rename: (layer: string) => string | undefined }): NameMap =>
  renaming({
    ...map,
    rename: (name) => {
      const [layer = '', variable = ''] = name.split('/');
      const [path, word] = [rename(layer), KERAS_VARIABLES[variable]];
      return path === undefined || word === undefined ? undefined : `${path}.${word}`;
    },
  });
