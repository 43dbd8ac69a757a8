import { CENTRED, IMAGENET, TENSORFLOW, type KnownConventions } from '../conventions.js';

/** Pixels from 0 to 1. */
const UNIT = { mean: [0, 0, 0], std: [255, 255, 255] } as const;
/** MXNet's normalisation of Dual Path Networks. */
const MXNET = { mean: [124, 117, 104], std: [1 / 0.0167, 1 / 0.0167, 1 / 0.0167] } as const;

/** Weights whose normalisation differs from that of other weights of the same network in timm 1.0.31
 *  (`timm.get_pretrained_cfg`), by their names there. */
const NORMALISATION: readonly (readonly [RegExp, Pick<KnownConventions, 'mean' | 'std'>])[] = [
  [/^tf_efficientnet_b\d\.ap_in1k$/, CENTRED],
  [/\.ra4_e3600_/, CENTRED],
  [/^mobilenetv4_conv_small\.e3600_r256_in1k$/, CENTRED],
  [/\.miil_in21k/, UNIT],
  [/^efficientnet_b1\.ft_in1k$/, IMAGENET],
  [/^inception_v3\.gluon_in1k$/, IMAGENET],
  [/^dpn68b\.mx_in1k$/, MXNET],
];

/** The conventions of weights that timm publishes on Hugging Face; their arrays do not tell them. {} for others. */
export function timmConventions(uri: string): KnownConventions {
  const name = /^hf:timm\/([\w.-]+)/.exec(uri)?.[1];
  if (name === undefined) return {};
  const normalisation = NORMALISATION.find(([pattern]) => pattern.test(name))?.[1];
  const { padding, epsilon } = TENSORFLOW;
  return { ...(name.startsWith('tf_') ? { padding, epsilon } : { padding: 'symmetric' }), ...normalisation };
}
