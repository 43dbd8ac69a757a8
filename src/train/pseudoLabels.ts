import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ofKind, type Dataset, type TextWord } from '../data/sample.js';
import { isUnspelt, wordSheets, type PlacedCrop, type WordSheet } from '../data/pipeline/wordSheet.js';
import type { Session } from '../engine/engine.js';
import { FinetuneError } from '../errors.js';
import { makeFolder } from '../files/folders.js';
import { writeAtomically } from '../files/writeAtomically.js';
import { project, squareToQuad } from '../geometry/homography.js';
import type { Task } from '../tasks/task.js';
import { mapsOf } from '../tasks/text/findText.js';
import type { Maps } from '../tasks/text/textBoxes.js';
import { wordCharacters, type Cell } from '../tasks/text/wordCharacters.js';
import type { RunState } from './checkpoint/state.js';
import { imageFeed, targetFeeds } from '../tasks/feeds.js';

export interface PseudoOptions {
  /** Epochs between two rounds of labelling. */
  readonly refresh: number;
  /** Pixels across the line of writing when the model reads a word. */
  readonly height: number;
  /** Images per call of the session's program `evaluate`. */
  readonly batch: number;
  /** The run directory. */
  readonly directory: string;
}

/** The labels of all words by the model before an epoch; epochs count from 0. */
const roundSchema = z.object({
  epoch: z.number(),
  labels: z.array(
    z.object({
      /** Place of the image in the data set, and of the word in the image. */
      image: z.number(),
      word: z.number(),
      /** Number of characters in the annotation, 0 if it has no text; and the number that the watershed found. */
      length: z.number(),
      found: z.number(),
      confidence: z.number(),
      /** Whether the word was cut into equal parts instead, because too few or too many characters were found. */
      isSplit: z.boolean(),
      /** In the rectified word, whose sides run from 0 to 1: left, top, right, bottom. */
      boxes: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()]).readonly()),
    }),
  ),
});
export type PseudoRound = z.infer<typeof roundSchema>;
/** The characters that the model finds in a word. */
export type PseudoLabel = PseudoRound['labels'][number];

/** Characters for words that are annotated without any, found by the model that is trained on them. */
export interface PseudoLabels {
  /** The data set with the current labels; each round changes it in place. */
  readonly dataset: Dataset;
  /** The run directory. */
  readonly directory: string;
  /** The rounds of this run so far. */
  readonly rounds: readonly PseudoRound[];
  /** Call it before the steps of an epoch, and before the rest of them when a run resumes: labels the words if that is
   *  due, and returns a message about it. */
  enterEpoch(session: Session, task: Task, state: Pick<RunState, 'epoch' | 'batch'>): Promise<string | undefined>;
  /** Forecasts the seconds of a round from its first sheets. */
  timeRound(session: Session, task: Task): Promise<number>;
}

/** Number of sheets that are timed. */
const TIMED = 3;

const fileOf = (directory: string, epoch: number): string => join(directory, 'pseudo', `epoch-${epoch}.json`);

/** Sets up weak supervision: Baek et al. 2019 (arXiv:1904.01941), section 3.2.2. The interim model is the session's
 *  program `evaluate`: the current weights, or their moving averages where the run keeps them. A round depends on the
 *  weights before its epoch alone. A run that is stopped within the epoch has changed them, so it resumes from the
 *  round's file in the run directory. */
export function openPseudoLabels(data: Dataset, { refresh, height, batch, directory }: PseudoOptions): PseudoLabels {
  const annotations = [...data.annotations];
  const rounds: PseudoRound[] = [];
  const textAt = (image: number) => ofKind(data.annotations[image]!, 'text');
  async function* labelSheets(session: Session, task: Task): AsyncGenerator<PseudoLabel[], void, undefined> {
    for await (const sheet of wordSheets(data, task.evaluateSize ?? task.size, height))
      yield await readSheet(sheet, data, session, task, batch);
  }
  const take = (round: PseudoRound): void => {
    rounds.push(round);
    const words = new Map<number, TextWord[]>();
    for (const label of round.labels) {
      const labelled = words.get(label.image) ?? [...textAt(label.image).words];
      labelled[label.word] = withCharacters(labelled[label.word]!, label);
      words.set(label.image, labelled);
    }
    for (const [image, labelled] of words) annotations[image] = { ...textAt(image), words: labelled };
  };
  return {
    dataset: { ...data, annotations },
    directory,
    rounds,
    async enterEpoch(session, task, { epoch, batch: done }) {
      const due = epoch - (epoch % refresh);
      if (rounds.at(-1)?.epoch === due) return undefined;
      if (rounds.length === 0) for (let past = 0; past < due; past += refresh) take(await readRound(directory, past));
      if (epoch > due || done > 0) {
        take(await readRound(directory, due));
        return undefined;
      }
      const labels: PseudoLabel[] = [];
      for await (const found of labelSheets(session, task)) labels.push(...found);
      const round = { epoch, labels };
      await makeFolder(join(directory, 'pseudo'));
      await writeAtomically(fileOf(directory, epoch), JSON.stringify(round));
      take(round);
      return describe(round);
    },
    async timeRound(session, task) {
      const begin = performance.now();
      let [sheets, words] = [0, 0];
      for await (const labels of labelSheets(session, task)) {
        words += labels.length;
        if (++sheets === TIMED) break;
      }
      const all = data.annotations.flatMap((annotation) => ofKind(annotation, 'text').words.filter(isUnspelt)).length;
      return ((performance.now() - begin) / 1000) * (all / Math.max(words, 1));
    },
  };
}

async function readRound(directory: string, epoch: number): Promise<PseudoRound> {
  const file = fileOf(directory, epoch);
  try {
    return roundSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    const message = `the characters that the model found before epoch ${epoch + 1} cannot be read`;
    const fix = 'start the run again: the weights that found them no longer exist';
    throw new FinetuneError({ code: 'E_PSEUDO_LABELS', message, where: { file }, fix }, { cause });
  }
}

/** Finds the characters of the words on one sheet. */
async function readSheet(
  { picture, crops }: WordSheet,
  data: Dataset,
  session: Session,
  task: Task,
  batch: number,
): Promise<PseudoLabel[]> {
  const size = task.evaluateSize ?? task.size;
  const feeds = { image: imageFeed([{ picture }], batch, size), ...targetFeeds([], batch, task) };
  const placement = { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 };
  const origin = { imageId: '', placement, originalWidth: size[1], originalHeight: size[0] };
  const { maps } = mapsOf(await session.run('evaluate', feeds), [origin], size)[0]!;
  return crops.map((crop): PseudoLabel => {
    const { text } = ofKind(data.annotations[crop.image]!, 'text').words[crop.word]!;
    const length = text.replaceAll(/\s/g, '').length; // white space has no characters
    const [width, height] = [crop.width / 2, crop.height / 2];
    const { boxes, ...found } = wordCharacters(regionOf(maps, crop), { width, height }, length);
    const inUnit = boxes.map(([l, t, r, b]): Cell => [l / width, t / height, r / width, b / height]);
    return { image: crop.image, word: crop.word, length, ...found, boxes: inUnit };
  });
}

/** Cuts the region score of a crop out of the sheet's maps: [height/2, width/2]. */
function regionOf({ data, width: columns }: Maps, { left, top, width, height }: PlacedCrop): Float32Array {
  const region = new Float32Array((width * height) / 4);
  for (let y = 0, to = 0; y < height / 2; y++)
    for (let x = 0; x < width / 2; x++, to++) region[to] = data[2 * ((top / 2 + y) * columns + left / 2 + x)]!;
  return region;
}

/** Returns the word with the characters of its label, in pixels of the image. A word in which none were found stays as
 *  it is. */
function withCharacters(word: TextWord, { boxes, confidence }: PseudoLabel): TextWord {
  const plane = squareToQuad(word.outline);
  if (!plane || boxes.length === 0) return word;
  const characters = boxes.map(([l, t, r, b]) =>
    [project(plane, l, t), project(plane, r, t), project(plane, r, b), project(plane, l, b)].flat(),
  );
  return { ...word, characters, confidence };
}

/** Mean confidence of a round's words, share with as many characters as annotated, and share that was cut into equal
 *  parts. */
export function roundShares({ labels }: PseudoRound) {
  const mean = (value: (label: PseudoLabel) => number): number =>
    labels.reduce((sum, label) => sum + value(label), 0) / Math.max(1, labels.length);
  return {
    confidence: mean(({ confidence }) => confidence),
    exact: mean(({ length, found }) => (length === found ? 1 : 0)),
    split: mean(({ isSplit }) => (isSplit ? 1 : 0)),
  };
}

function describe(round: PseudoRound): string {
  const { confidence, exact, split } = roundShares(round);
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  return `characters of ${round.labels.length} words: confidence ${confidence.toFixed(2)}, as many as annotated in ${percent(exact)}, cut into equal parts in ${percent(split)}`;
}
