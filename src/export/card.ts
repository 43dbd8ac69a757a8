import { basename, join, relative, sep } from 'node:path';
import { meanColour } from '../data/image/meanColour.js';
import { hashFile } from '../files/hashFile.js';
import { CARD_VERSION, type ModelCard, type Parity } from '../modelFolder/card.js';
import { measuredOf } from '../predict/measured.js';
import { loadRecipe } from '../recipe/load.js';
import type { ModelDescription } from '../tasks/description/description.js';
import { findInCatalog } from '../weights/catalog.js';
import type { NmsPlace, TargetName } from './names.js';
import type { Checkpoint } from './source.js';
import type { Adapted } from './targets/target.js';

export interface CardOptions {
  readonly format: string;
  readonly quantize: string | undefined;
  readonly nms: NmsPlace;
  /** The application that the model was written for. */
  readonly target: TargetName | undefined;
  readonly adapted: Adapted;
  readonly parity: Parity;
  /** The folder of the model, and the names of its files. */
  readonly folder: string;
  readonly files: readonly string[];
  /** The method of the format's runtime that runs the model, where there are several. */
  readonly call: string | undefined;
}

/** The card of an exported model. */
export async function makeCard(checkpoint: Checkpoint, options: CardOptions): Promise<ModelCard> {
  const { format, quantize = null, nms, target = null, adapted, parity, folder, files, call } = options;
  const { description, model, file, run } = checkpoint;
  const { task, categories, mean, std } = description;
  const { source } = file;
  const [height, width] = model.task.evaluateSize ?? model.size;
  const recipe = run === undefined ? null : join(run, 'recipe.yaml');
  const hashes = files.map(async (name) => [name, await hashFile(join(folder, name))] as const);
  return {
    version: CARD_VERSION,
    format,
    quantize,
    for: target,
    ...(call !== undefined && { call }),
    task,
    categories,
    input: {
      name: 'image',
      shape: [1, height, width, 3],
      layout: 'NHWC',
      type: 'float32',
      channels: 'RGB',
      range: [0, 255],
      normalizedBy: 'model',
      mean,
      std,
      resize: describeResize(description),
      ...(description.images.tiles && { tiles: description.images.tiles }),
      ...adapted.card.input,
    },
    outputs: outputsOf(adapted).map(([name, shape]) => ({
      name,
      shape,
      type: 'float32',
      meaning: adapted.card.outputs[name] ?? '',
    })),
    decode: await describeDecoding(checkpoint, nms, adapted.card.decode),
    parity,
    ...(await metricsOf(checkpoint)),
    source: {
      recipe: recipe === null ? null : placeOf(recipe, run),
      recipeSha256: recipe === null ? null : await hashFile(recipe),
      weights: placeOf(source.file, run),
      weightsSha256: source.sha256,
    },
    licenses: recipe === null ? [] : await licensesOf(recipe),
    files: Object.fromEntries(await Promise.all(hashes)),
    description,
  };
}

/** Names and shapes of what the files return. */
const outputsOf = ({ net, finish }: Adapted): [string, readonly number[]][] =>
  finish
    ? Object.entries(finish.outputs)
    : Object.entries(net.program.outputs).map(([name, { shape }]) => [name, shape]);

/** The path of a file from the folder of its run on: the others are of no use on another machine. */
const placeOf = (file: string, run: string | undefined): string =>
  run === undefined ? basename(file) : [basename(run), ...relative(run, file).split(sep)].join('/');

function describeResize({ images }: ModelDescription): ModelCard['input']['resize'] {
  const { resize, interpolation, cropFraction, limits } = images;
  const pads = resize === 'letterbox' || resize === 'shorterSide';
  return {
    mode: resize,
    method: interpolation,
    antialias: true,
    ...(resize === 'crop' && { cropFraction }),
    ...(resize === 'shorterSide' && { limits }),
    ...(pads && { fill: meanColour }),
  };
}

/** How outputs become predictions: the rule of the network, and the thresholds. `thresholds.score` is the one with the best
 *  F1 on the validation part. */
async function describeDecoding(
  { model, description, file }: Checkpoint,
  place: NmsPlace,
  own: ModelCard['decode'] | undefined,
): Promise<ModelCard['decode']> {
  const { scores, boxes, anchors, points, grid, boxCoder, candidates, suppresses } = model.task.decoding;
  const rule = own ?? { scores, boxes, anchors, points, grid, boxCoder, candidates };
  const score = (await measuredOf(file.source))?.operatingPoint?.scoreThreshold ?? null;
  if (description.task === 'classification') return { ...rule, thresholds: { score } };
  if (description.task === 'text') return { ...rule, thresholds: { score, ...description.thresholds } };
  const { nms: kind, nmsThreshold, scoreThreshold, maxDetections } = description.selection;
  const suppression = {
    place,
    kind: suppresses && place !== 'none' ? kind : 'none',
    iouThreshold: nmsThreshold,
    perClass: true,
  };
  return {
    ...rule,
    background: description.background,
    thresholds: { score, leastScore: scoreThreshold },
    nms: suppresses || place === 'in' ? suppression : null,
    maxDetections,
  };
}

/** The score and the calibration that the run measured of these weights. */
async function metricsOf({ file }: Checkpoint): Promise<Pick<ModelCard, 'metrics' | 'calibration'>> {
  const { metric = null, calibration = null } = (await measuredOf(file.source)) ?? {};
  return { metrics: metric, calibration };
}

async function licensesOf(recipe: string): Promise<ModelCard['licenses']> {
  const { weights } = (await loadRecipe(recipe)).model;
  if (!weights) return [];
  const known = findInCatalog(weights);
  const [, scheme, path] = /^(file:|run:)(.*)$/.exec(weights) ?? [];
  const name = path === undefined ? weights : `${scheme}${basename(path)}`;
  return [{ weights: known?.name ?? name, license: known?.licence ?? null }];
}
