import { join } from 'node:path';
import { createFindings, type Findings } from '../../findings.js';
import type { Dataset, PartName } from '../../sample.js';
import { openDrawnText, type DrawnTextOptions } from './drawnText.js';
import { readIcdarPart } from './icdar.js';
import { readSynthText } from './synthText.js';

export interface DrawnTextData {
  readonly format: 'synthetic-text';
  readonly root?: string | undefined;
  readonly seed: number;
  readonly side: number;
  readonly photos?: string | undefined;
  readonly train: { readonly images: number };
  readonly val: { readonly images: number };
  readonly brokenImages?: 'error' | 'drop';
}

/** Paths are relative to `root`. */
interface Place {
  readonly images: string;
  readonly truth: string;
}

export interface IcdarData {
  readonly format: 'icdar';
  readonly root: string;
  readonly train: Place;
  /** A part of its own, or each so manyth image of the training part. */
  readonly val: Place | { readonly every: number };
  readonly test?: Place | undefined;
  readonly characters: 'mask' | 'split' | 'pseudo';
  readonly transcriptions: boolean;
  /** Of each training image in an epoch. */
  readonly crops: number;
  /** Drawn images among the real ones, `perReal` of each crop. */
  readonly synthetic?:
    | (Omit<DrawnTextOptions, 'train' | 'val' | 'signal' | 'findings'> & {
        readonly images: number;
        readonly perReal: number;
      })
    | undefined;
  readonly brokenImages?: 'error' | 'drop';
}

/** gt.mat and its images in `root`; each so manyth image is held back. */
export interface SynthTextData {
  readonly format: 'synthtext';
  readonly root: string;
  readonly val: { readonly every: number };
  readonly brokenImages?: 'error' | 'drop';
}

export type TextData = DrawnTextData | IcdarData | SynthTextData;

interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly findingsOf: (part: PartName) => Findings;
}

/** The parts of scene text as far as they can be read: every problem goes to the findings of its part. */
export async function readText(
  data: TextData,
  { signal, findingsOf }: ReadOptions,
): Promise<Partial<Record<PartName, Dataset>>> {
  if (data.format === 'synthetic-text') {
    const findings = { train: findingsOf('train'), val: findingsOf('val') };
    const [train, val] = [data.train.images, data.val.images];
    return openDrawnText({ ...data, train, val, signal, findings }).catch((error: unknown) => {
      findings.train.absorb(error);
      return {};
    });
  }
  if (data.format === 'synthtext') return readHeld(data, findingsOf);
  const { root, train, val, test, transcriptions, brokenImages = 'error' } = data;
  const characters = data.characters === 'pseudo' ? 'mask' : data.characters; // the run finds them
  const every = 'every' in val ? val.every : undefined;
  const isHeld = (index: number): boolean => every !== undefined && index % every === every - 1;
  const places: [PartName, Place, (index: number) => boolean][] = [
    ['train', train, (index) => !isHeld(index)],
    ['val', 'every' in val ? train : val, (index) => every === undefined || isHeld(index)],
    ...(test ? [['test', test, () => true] satisfies [PartName, Place, () => boolean]] : []),
  ];
  const opened: Partial<Record<PartName, Dataset>> = {};
  for (const [name, place, keep] of places) {
    const findings = findingsOf(name);
    const part = {
      images: join(root, place.images),
      truth: join(root, place.truth),
      name,
      keep,
      characters,
      transcriptions,
      brokenImages,
    };
    const dataset = await readIcdarPart(part, findings).catch((error: unknown) => findings.absorb(error));
    const whole = name === 'train' && dataset ? await withDrawn(dataset, data, { signal, findings }) : dataset;
    if (whole) opened[name] = whole;
  }
  return opened;
}

/** The real images, so many crops of each, and the drawn ones between them. */
async function withDrawn(
  real: Dataset,
  { crops, synthetic }: IcdarData,
  { signal, findings }: { readonly signal?: AbortSignal | undefined; readonly findings: Findings },
): Promise<Dataset> {
  const often = real.annotations.map(() => crops);
  if (!synthetic) return crops === 1 ? real : { ...real, repeat: Float64Array.from(often) };
  const { images, perReal } = synthetic;
  const parts = { train: findings, val: createFindings() };
  const drawn = await openDrawnText({ ...synthetic, train: images, val: 1, signal, findings: parts }).catch(
    (error: unknown) => findings.absorb(error),
  );
  if (!drawn) return real;
  const share = (real.annotations.length * crops * perReal) / images;
  return {
    ...real,
    annotations: [...real.annotations, ...drawn.train.annotations],
    repeat: Float64Array.from([...often, ...drawn.train.annotations.map(() => share)]),
  };
}

async function readHeld(
  { root, val: { every }, brokenImages = 'error' }: SynthTextData,
  findingsOf: ReadOptions['findingsOf'],
): Promise<Partial<Record<PartName, Dataset>>> {
  const opened: Partial<Record<PartName, Dataset>> = {};
  for (const name of ['train', 'val'] as const) {
    const findings = findingsOf(name);
    const keep = (index: number): boolean => (index % every === every - 1) === (name === 'val');
    const part = { root, name: `SynthText ${name}`, keep, brokenImages };
    const dataset = await readSynthText(part, findings).catch((error: unknown) => findings.absorb(error));
    if (dataset) opened[name] = dataset;
    if (dataset?.annotations.length !== 0 || findings.problems().length > 0) continue;
    findings.problem({ code: 'E_DATA_EMPTY', message: `${dataset.name} has no images` });
  }
  return opened;
}
