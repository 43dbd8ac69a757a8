import { join } from 'node:path';
import { createFindings, type Findings } from '../../findings.js';
import type { Dataset, PartName, TextAnnotation } from '../../sample.js';
import type { SplitOptions } from '../../split/split.js';
import type { Format, Parts, ReadOptions } from '../format.js';
import { openDrawnText, type DrawnTextOptions } from './drawnText.js';
import { readIcdarPart } from './icdar.js';
import type { LayoutName } from './layouts.js';

/** Paths are relative to `root`. */
interface Place {
  readonly images: string;
  readonly truth: string;
  readonly every?: undefined;
}

export interface IcdarData {
  readonly format: 'icdar';
  readonly root: string;
  readonly train: Place;
  /** A part of its own, or every n-th image of the training part, n = `every`. Absent with `split`. */
  readonly val?: Place | { readonly every: number } | undefined;
  readonly test?: Place | null | undefined;
  readonly split?: SplitOptions | null | undefined;
  readonly characters: 'mask' | 'split' | 'pseudo';
  readonly transcriptions: boolean;
  /** Layout of the text files (layouts.ts). */
  readonly layout?: LayoutName | 'auto' | undefined;
  /** Number of crops of each training image in an epoch. */
  readonly crops: number;
  /** Drawn images to mix with the real ones: `perReal` of them for each crop of a real one. */
  readonly synthetic?:
    | (Omit<DrawnTextOptions, 'train' | 'val' | 'signal' | 'findings'> & {
        readonly images: number;
        readonly perReal: number;
      })
    | undefined;
  readonly brokenImages?: 'error' | 'drop';
  readonly categories?: undefined;
}

/** Scene text in the forms of the ICDAR challenges, mixed with drawn text if asked for. */
export const icdar: Format<IcdarData> = { kind: 'text', open: openIcdar };

async function openIcdar(data: IcdarData, { signal, findingsOf, skip = [], unlearned }: ReadOptions): Promise<Parts> {
  const { root, train, val, test, transcriptions, layout = 'auto', brokenImages = 'error' } = data;
  const characters = data.characters === 'pseudo' ? 'mask' : data.characters; // the characters are found during the run
  const held = skip.includes('val') ? undefined : val;
  const every = held?.every;
  const isHeld = (index: number): boolean => every !== undefined && index % every === every - 1;
  const places: [PartName, Place, (index: number) => boolean][] = [
    ['train', train, (index) => !isHeld(index)],
    ...(held
      ? [
          ['val', held.every === undefined ? held : train, (index) => every === undefined || isHeld(index)] satisfies [
            PartName,
            Place,
            (index: number) => boolean,
          ],
        ]
      : []),
    ...(test && !skip.includes('test') ? [['test', test, () => true] satisfies [PartName, Place, () => boolean]] : []),
  ];
  const opened: Parts = {};
  for (const [name, place, keep] of places) {
    const findings = findingsOf(name);
    const part = {
      images: join(root, place.images),
      truth: join(root, place.truth),
      name,
      keep,
      characters,
      transcriptions,
      layout,
      brokenImages,
      countOthers: name !== 'val' || every === undefined, // else they are those of the training part
    };
    const dataset = await readIcdarPart(part, findings).catch((error: unknown) => findings.absorb(error));
    const whole = name === 'train' && dataset ? await withDrawn(dataset, data, { signal, findings }) : dataset;
    if (whole && name === 'train' && data.characters !== 'pseudo' && !unlearned) needCharacters(whole, findings);
    if (whole) opened[name] = whole;
  }
  return opened;
}

/** A text detector learns characters: words without them are masked out of the loss. */
function needCharacters({ name, annotations }: Dataset<TextAnnotation>, findings: Findings): void {
  const wanted = annotations.flatMap(({ words }) => words).filter(({ dontCare }) => !dontCare);
  const masked = wanted.filter(({ characters }) => !characters);
  masked.forEach(() => {
    findings.count('words without character boxes, masked in the loss');
  });
  if (masked.length === 0 || masked.length < wanted.length || findings.problems().length > 0) return;
  findings.problem({
    code: 'E_DATA_NO_OBJECT',
    message: `none of the ${wanted.length} words of ${name} has character boxes, and words without them are masked in the loss`,
    fix: 'set data.characters: split, which cuts words by their transcriptions, or pseudo; or mix in drawn text: data.synthetic',
  });
}

/** Mixes drawn images into the training part; real images come `crops` times in an epoch. */
async function withDrawn(
  real: Dataset<TextAnnotation>,
  { crops, synthetic }: IcdarData,
  { signal, findings }: { readonly signal?: AbortSignal | undefined; readonly findings: Findings },
): Promise<Dataset<TextAnnotation>> {
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
