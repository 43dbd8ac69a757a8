import { join } from 'node:path';
import { FinetuneError } from '../errors.js';
import { readCoco } from './formats/coco.js';
import { createFindings, type Findings } from './findings.js';
import type { DropPolicies, ReadPart } from './rawDataset.js';
import { readLabelled, type LabelledData } from './formats/readLabelled.js';
import type { Dataset, PartName } from './sample.js';
import { readText, type TextData } from './formats/text/readText.js';
import { syntheticParts } from './synthetic/openSynthetic.js';
import { readVoc, wantedNames } from './formats/voc.js';

interface Common extends DropPolicies {
  /** Names to learn, in the order of the model's classes. */
  readonly categories?: readonly string[] | undefined;
}

export interface SyntheticData extends Common {
  readonly format: 'synthetic';
  readonly root?: string | undefined;
  readonly seed: number;
  readonly train: { readonly images: number };
  readonly val: { readonly images: number };
}

/** Paths of a part are relative to `root`. */
export interface CocoData extends Common {
  readonly format: 'coco';
  readonly root: string;
  readonly train: { readonly annotations: string; readonly images: string };
  readonly val: { readonly annotations: string; readonly images: string };
  readonly test?: { readonly annotations: string; readonly images: string } | undefined;
}

/** A part is the name of a list in ImageSets/Main. */
export interface VocData extends Common {
  readonly format: 'voc';
  readonly root: string;
  readonly train: string;
  readonly val: string;
  readonly test?: string | undefined;
}

type ObjectData = SyntheticData | CocoData | VocData;
export type DataOptions = ObjectData | LabelledData | TextData;

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  /** Where what is wrong with a part goes. */
  readonly findingsOf?: (part: PartName) => Findings;
}

/** Open the parts to train, to validate and, where there is one, to test on, with the same categories in the same order. Reads annotations, no pixels.
 *  Throws, for all parts at once, what openSynthetic, openCoco and openVoc throw, and E_DATA_EMPTY if a part has no image. */
export async function openDatasets(data: DataOptions, { signal }: { readonly signal?: AbortSignal | undefined } = {}) {
  const findings = new Map<PartName, Findings>();
  const findingsOf = (part: PartName) => {
    const own = createFindings();
    findings.set(part, own);
    return own;
  };
  const { train, val, test } = await readDatasets(data, { signal, findingsOf });
  const problems = [...findings.values()].flatMap((part) => part.problems());
  if (problems.length > 0) throw new FinetuneError(problems);
  return { train: train!, val: val!, ...(test && { test }), categories: train!.categories };
}

/** The parts as far as they can be read: every problem goes to the findings of its part, and nothing is thrown for it. */
export async function readDatasets(
  data: DataOptions,
  { signal, findingsOf = createFindings }: OpenOptions,
): Promise<Partial<Record<PartName, Dataset>>> {
  if ('splitSeed' in data) return readLabelled(data, findingsOf);
  if (data.format === 'synthetic-text' || data.format === 'icdar' || data.format === 'synthtext')
    return readText(data, { signal, findingsOf });
  const parts = partsOf(data).map((part) => ({ part, findings: findingsOf(part) }));
  const read = new Map<PartName, ReadPart>();
  for (const { part, findings } of parts) {
    const result = await readPart(data, part, findings, signal).catch((error: unknown) => findings.absorb(error));
    if (result) read.set(part, result);
  }
  const opened: Partial<Record<PartName, Dataset>> = {};
  for (const { part, findings } of parts) {
    try {
      const dataset = read.get(part)?.build(namesToLearn(data, read));
      if (!dataset) continue;
      opened[part] = dataset;
      if (dataset.annotations.length > 0 || findings.problems().length > 0) continue;
      findings.problem({ code: 'E_DATA_EMPTY', message: `${dataset.name} has no images` });
    } catch (error) {
      findings.absorb(error);
    }
  }
  return opened;
}

const partsOf = (data: ObjectData): PartName[] => [
  'train',
  'val',
  ...('test' in data && data.test ? ['test' as const] : []),
];

async function readPart(
  data: ObjectData,
  part: PartName,
  findings: Findings,
  signal: AbortSignal | undefined,
): Promise<ReadPart> {
  const { root, invalidBoxes = 'error', brokenImages = 'error' } = data;
  const policies = { invalidBoxes, brokenImages };
  switch (data.format) {
    case 'synthetic': {
      const options = { seed: data.seed, ...(root && { root }), ...(signal && { signal }) };
      const places = await syntheticParts({ ...options, train: data.train.images, val: data.val.images });
      return readCoco({ ...places[part === 'train' ? 'train' : 'val'], ...policies }, findings);
    }
    case 'voc':
      return readVoc({ root: data.root, split: data[part]!, ...policies }, findings);
    case 'coco': {
      const { annotations, images } = data[part]!;
      const place = { annotations: join(data.root, annotations), images: join(data.root, images), name: part };
      return readCoco({ ...place, ...policies }, findings);
    }
  }
}

/** VOC names are those of any part, since a class may be rare; COCO's are those of the training part. Its other files may number them in another way. */
function namesToLearn(data: ObjectData, read: ReadonlyMap<PartName, ReadPart>): readonly string[] {
  const [first] = read.values(); // the training part, unless it could not be read
  if (data.format !== 'voc') return data.categories ?? first!.names;
  const all = [...new Set([...read.values()].flatMap(({ names }) => names))].sort();
  return data.categories ? wantedNames(all, data.categories, data.root) : all;
}
