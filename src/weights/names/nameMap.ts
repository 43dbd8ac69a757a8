import type { Param, Params } from '../../graph/params.js';
import type { KnownConventions } from '../conventions.js';
import type { RawTensor } from '../decode/rawTensor.js';

/** The arrays of a published file under our names, in the layout of the file. */
export interface NamedWeights {
  readonly params: Params;
  /** Names of the class predictor's columns, '' for a nameless one; undefined if the format does not say them. */
  readonly categories: readonly string[] | undefined;
  /** Whether the class predictor may have a column before its classes that means nothing: torchvision's `num_classes`
   *  counts the background for heads without one too. */
  readonly spareColumn?: boolean;
  /** What the publisher's network computes around the weights. */
  readonly conventions: KnownConventions;
  /** BatchNorms that the file has folded ("backbone.bn1"): mean 0, variance 1 − ε, and scale and shift such that the
   *  function is the same. Their true statistics are unknown: keep them frozen, or train with care. */
  readonly folded: readonly string[];
  /** Arrays that are not weights: counters, constants of pre- and post-processing. */
  readonly setAside: readonly string[];
}

/** Translates the names that one publisher gives a family of models into ours, which are timm's. */
export interface NameMap {
  /** Whose names they are, for people. */
  readonly origin: string;
  /** Our models that can have these weights. Models of TensorFlow have other padding and another ε than those of
   *  PyTorch. */
  readonly models: RegExp;
  readonly recognises: (raw: ReadonlyMap<string, RawTensor>) => boolean;
  readonly apply: (raw: ReadonlyMap<string, RawTensor>, file: string) => NamedWeights;
}

interface Renaming extends Pick<NameMap, 'origin' | 'models' | 'recognises'> {
  /** Returns our name; undefined for an array that is not a weight. */
  readonly rename: (name: string, raw: ReadonlyMap<string, RawTensor>) => string | undefined;
  /** What the publisher's network computes around the weights; {} where the names do not tell. */
  readonly conventions: KnownConventions;
  /** Returns our shape, if the publisher stores the same values in another one. */
  readonly reshape?: (name: string, shape: readonly number[]) => readonly number[];
}

/** Creates a map that only renames. Integers, such as the counters of BatchNorm, are not weights. */
export function renaming({ rename, reshape = (_, shape) => shape, conventions, ...map }: Renaming): NameMap {
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
      return { params, categories: undefined, conventions, folded: [], setAside };
    },
  };
}

/** Lists "stage.block" for every block in order, given the number of blocks of each stage. */
export const blockPaths = (repeats: readonly number[]): string[] =>
  repeats.flatMap((blocks, stage) => Array.from({ length: blocks }, (_, block) => `${stage}.${block}`));

/** PyTorch's names for the variables of Keras. */
const KERAS_VARIABLES: Readonly<Record<string, string>> = {
  kernel: 'weight',
  bias: 'bias',
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};

/** Creates a map for a Keras file by its layers: `rename` returns our path of a layer. */
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
