import { PYTORCH } from '../conventions.js';
import { renaming } from './nameMap.js';

const PREFIX = /^module\./; // torch.nn.DataParallel, from which the published checkpoints were saved, adds it
const FC: Readonly<Record<string, string>> = { 1: 'fc6', 2: 'fc7' };

/** The CRAFT of its authors: https://github.com/clovaai/CRAFT-pytorch (craft_mlt_25k.pth and others). */
export const clovaCraft = renaming({
  origin: "CRAFT-pytorch's CRAFT",
  models: /^craft$/,
  conventions: PYTORCH,
  recognises: (raw) => [...raw.keys()].some((name) => name.replace(PREFIX, '') === 'basenet.slice5.1.weight'),
  rename: (name) =>
    name
      .replace(PREFIX, '')
      .replace(/^basenet\.slice5\.(\d)/, (_, layer: string) => `neck.${FC[layer] ?? layer}`)
      .replace(/^basenet\.slice\d/, 'backbone.features')
      .replace(/^upconv/, 'neck.upconv')
      .replace(/^conv_cls/, 'head.conv_cls'),
});
