import type { ProgressEvent } from '../../progress.js';
import { kindOf, readDatasets, type DataOptions } from '../dataset.js';
import { describeOverlap, findOverlaps, type ComparedPart, type Overlap } from '../overlap.js';
import type { Dataset, Dropped, PartName } from '../sample.js';
import { checkBoxes, type BoxCheck, type CategoryStats, type CheckedFrame } from './boxes.js';
import { checkCategories, checkNames } from './categories.js';
import { checkImages } from './images.js';
import { labelStats } from './labels.js';
import { remarkFindings, type Level, type Remark } from './remark.js';
import { checkWords } from './words.js';

export interface CheckOptions extends CheckedFrame {
  /** Images per training step. */
  readonly batch: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** One part in numbers. */
export interface PartStats {
  readonly images: number;
  /** Such images are legal: the model learns from them what is background. */
  readonly withoutObjects: number;
  readonly objects: number;
  readonly ignored: number;
  /** What training would leave out or correct, by reason. */
  readonly dropped: Dropped;
  readonly categories: readonly CategoryStats[];
}

export interface DataCheck {
  /** Errors first. */
  readonly remarks: readonly Remark[];
  readonly parts: Partial<Record<PartName, PartStats>>;
  readonly opened: Partial<Record<PartName, Dataset>>;
  /** False if the signal stopped it. */
  readonly complete: boolean;
  /** Whether training would accept the data. */
  readonly trainable: boolean;
}

const ranks: Readonly<Record<Level, number>> = { error: 0, warning: 1, note: 2 };

/** Check a data set: open it as training would, decode every image, and collect everything that is wrong or suspicious. */
export async function checkData(data: DataOptions, options: CheckOptions): Promise<DataCheck> {
  const { size, resize = 'stretch', limits, tiles, batch, signal, onProgress } = options;
  const remarks: Remark[] = [];
  const say = (remark: Remark) => void remarks.push(remark);
  const boxes = new Map<PartName, BoxCheck>();
  const findingsOf = (part: PartName) => {
    const check = checkBoxes(part, { size, resize, limits, tiles }, say);
    boxes.set(part, check);
    return remarkFindings(part, say, (image, learned) => check.inspect(image, learned));
  };
  const { parts: opened } = await readDatasets(data, { signal, findingsOf });

  const onImage = (done: number, total: number) => onProgress?.({ phase: 'data', done, total });
  const { brokenImages } = data;
  const complete = await checkImages(opened, { size, resize, limits, brokenImages, signal, onImage }, say);

  const labelled = kindOf(data) === 'wholeImage';
  const parts: Partial<Record<PartName, PartStats>> = {};
  for (const [part, dataset] of Object.entries(opened) as [PartName, Dataset][]) {
    const names = dataset.categories.map(({ name }) => name);
    const stats = labelled ? labelStats(dataset, data.categories !== 'imagenet-1k') : boxes.get(part)!.stats(names);
    boxes.get(part)!.finish();
    checkCategories(part, stats, say, labelled ? 'image' : 'object');
    checkWords(part, dataset, say);
    parts[part] = summarize(dataset, stats);
  }
  const learned = (opened.train ?? opened.val)?.categories.map(({ name }) => name);
  if (learned) checkNames(learned, boxes, data.categories !== undefined, say);
  if (opened.train && opened.train.annotations.length < batch) sayTooFew(opened.train.annotations.length, batch, say);

  for (const overlap of complete ? await findOverlaps(partsOf(opened)) : []) sayOverlap(overlap, say);
  remarks.sort((a, b) => ranks[a.level] - ranks[b.level]);
  return { remarks, parts, opened, complete, trainable: complete && remarks.every(({ level }) => level !== 'error') };
}

const partsOf = (opened: Partial<Record<PartName, Dataset>>): ComparedPart[] =>
  (['train', 'val', 'test'] as const).flatMap((name) => {
    const dataset = opened[name];
    return dataset ? [{ name, annotations: dataset.annotations }] : [];
  });

/** Most pairs of one part and another that are listed. */
const MOST_PAIRS = 20;

const PHRASES = {
  'same file': 'has the same file as',
  'same picture': 'shows the same picture as',
  'copy by its name': 'has, by its name, a copy of the same image as',
  'frame of the same video': 'has a frame of the same video as',
} as const;

function sayOverlap(overlap: Overlap, say: (remark: Remark) => void): void {
  const { part, other, pairs } = overlap;
  for (const { file, other: twin, reason } of pairs.slice(0, MOST_PAIRS))
    say({
      level: 'warning',
      part: part as PartName,
      code: 'W_IMAGE_LEAK',
      message: `${part} ${PHRASES[reason]} ${twin} of ${other}: the score will be too good`,
      where: { file },
      fix: `remove it from ${part} or from ${other}`,
    });
  say({
    level: 'warning',
    part: part as PartName,
    code: 'W_PART_OVERLAP',
    message: `${describeOverlap(overlap)}: its score will be too good`,
    fix: `remove them from ${part} or from ${other}`,
  });
}

function summarize({ annotations, dropped }: Dataset, categories: readonly CategoryStats[]): PartStats {
  const sum = (pick: (stats: CategoryStats) => number) => categories.reduce((total, stats) => total + pick(stats), 0);
  return {
    images: annotations.length,
    withoutObjects: annotations.filter(({ kind, classes }) => kind !== 'wholeImage' && classes.length === 0).length,
    objects: sum(({ objects }) => objects),
    ignored: sum(({ ignored }) => ignored),
    dropped,
    categories,
  };
}

function sayTooFew(images: number, batch: number, say: (remark: Remark) => void): void {
  if (images === 0) return; // E_DATA_EMPTY was reported
  say({
    level: 'error',
    part: 'train',
    code: 'E_DATA_TOO_FEW',
    option: 'train.batch',
    message: `${images} images do not fill a batch of ${batch}`,
    fix: `set train.batch to at most ${images}`,
  });
}
