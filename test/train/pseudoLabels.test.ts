import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { ofKind, type Dataset, type TextWord } from '../../src/data/sample.js';
import { wordSheets } from '../../src/data/pipeline/wordSheet.js';
import type { Feeds, Session } from '../../src/engine/engine.js';
import { pseudoSections } from '../../src/report/pseudoSections.js';
import type { Task } from '../../src/tasks/task.js';
import { openPseudoLabels, type PseudoOptions } from '../../src/train/pseudoLabels.js';

const size = [128, 256] as const;
let directory: string;
let dataset: Dataset;

/** Letters are bright bars on black; one word stands upright, the other is turned by a quarter. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pseudo-'));
  const file = join(directory, 'image.png');
  const bars = [0, 1, 2].map((i) => `<rect x="${22 + 20 * i}" y="20" width="8" height="16" fill="white"/>`);
  const turned = [0, 1].map((i) => `<rect x="120" y="${22 + 20 * i}" width="16" height="8" fill="white"/>`);
  await sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100"><rect width="200" height="100"/>${bars.join('')}${turned.join('')}</svg>`)).png().toFile(file); // prettier-ignore
  const words: TextWord[] = [
    { text: 'a b c', outline: [16, 18, 76, 18, 76, 38, 16, 38], dontCare: false },
    { text: 'xyzzyx', outline: [138, 16, 138, 56, 118, 56, 118, 16], dontCare: false },
    { text: '', outline: [150, 60, 190, 60, 190, 90, 150, 90], dontCare: true },
  ];
  const annotation = {
    kind: 'text' as const,
    imageId: 1,
    file,
    width: 200,
    height: 100,
    boxes: [] as never,
    classes: [],
    ignore: [],
    words,
  };
  dataset = { name: 'words', categories: [], annotations: [annotation], dropped: {}, toCoco: () => ({}) as never };
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A model whose region score is the brightness. */
const bright = {
  run: (_: string, { image }: Feeds) => {
    const [rows, columns] = size;
    const maps = new Float32Array((rows * columns) / 2);
    for (let cell = 0; cell < maps.length / 2; cell++) {
      const [x, y] = [cell % (columns / 2), Math.floor(cell / (columns / 2))];
      maps[2 * cell] = Math.max(0, image![3 * (2 * y * columns + 2 * x)]! - 130) / 125;
    }
    return Promise.resolve({ maps });
  },
} as unknown as Session;
const task = { size, blank: () => ({}) } as unknown as Task;
const options = (): PseudoOptions => ({ refresh: 2, height: 32, batch: 1, directory });

test('an image that another one of another size has replaced is an error', async () => {
  const annotations = [{ ...dataset.annotations[0]!, width: 100 }];
  await expect(wordSheets({ annotations }, size, 32).next()).rejects.toMatchObject({ code: 'E_IMAGE_SIZE' });
});

test('words lie rectified on the sheets, in even places', async () => {
  const sheets = [];
  for await (const sheet of wordSheets(dataset, size, 32)) sheets.push(sheet);
  expect(sheets).toHaveLength(1);
  const { crops, picture } = sheets[0]!;
  expect(crops.map(({ width, height }) => [width, height])).toEqual([[96, 32], [64, 32]]); // prettier-ignore
  expect(crops.every(({ left, top }) => left % 2 === 0 && top % 2 === 0)).toBe(true);
  const at = (x: number, y: number): number => picture.data[3 * (y * picture.width + x)]!;
  const [{ left, top }] = crops as [(typeof crops)[0]];
  expect([at(left + 16, top + 16), at(left + 32, top + 16), at(left + 48, top + 16)]).toEqual([255, 0, 255]);
});

test('characters come back into the image, with the confidence of their number, and again after a stop', async () => {
  const begun = openPseudoLabels(dataset, options());
  expect(await begun.enterEpoch(bright, task, { epoch: 0, batch: 0 })).toContain('2 words');
  const [straight, turned, unread] = ofKind(begun.dataset.annotations[0]!, 'text').words;
  expect(straight!.confidence).toBe(1);
  expect(straight!.characters).toHaveLength(3);
  const [x1, , x2] = straight!.characters![1]! as [number, number, number];
  expect(Math.abs(x1 - 42)).toBeLessThan(3);
  expect(Math.abs(x2 - 50)).toBeLessThan(3);
  expect(turned).toMatchObject({ confidence: 0.5 }); // 2 of 6 characters found, so the word is cut equally
  expect(turned!.characters).toHaveLength(6);
  expect(unread!.characters).toBeUndefined();
  expect(await begun.enterEpoch(bright, task, { epoch: 1, batch: 0 })).toBeUndefined();

  const resumed = openPseudoLabels(dataset, options());
  await resumed.enterEpoch({} as Session, task, { epoch: 1, batch: 3 });
  expect(resumed.dataset.annotations).toEqual(begun.dataset.annotations);
  expect(resumed.rounds).toEqual(begun.rounds);
});

test('a round is forecast from its first sheets, and labels nothing', async () => {
  const many = { ...dataset, annotations: Array<(typeof dataset.annotations)[0]>(60).fill(dataset.annotations[0]!) };
  const labels = openPseudoLabels(many, options());
  let calls = 0;
  const slow = {
    run: (name: string, feeds: Feeds) => {
      calls++;
      return new Promise((done) => setTimeout(done, 30)).then(() => bright.run(name, feeds));
    },
  } as unknown as Session;
  const seconds = await labels.timeRound(slow, task);
  expect(calls).toBe(3);
  const words = 3 * 8; // three sheets have room for these of 120 words
  expect(seconds).toBeGreaterThan((3 * 0.03 * 120) / words);
  expect(labels.dataset.annotations).toEqual(many.annotations);
});

test('labels of a stopped epoch that are gone are an error, for the weights that found them are gone too', async () => {
  const lost = openPseudoLabels(dataset, { ...options(), directory: join(directory, 'other') });
  await expect(lost.enterEpoch(bright, task, { epoch: 0, batch: 3 })).rejects.toMatchObject({
    code: 'E_PSEUDO_LABELS',
  });
});

test('the report shows each round, and the worst words with what is learnt from', async () => {
  const labels = openPseudoLabels(dataset, options());
  await labels.enterEpoch(bright, task, { epoch: 0, batch: 0 });
  const [rounds, gallery] = await pseudoSections(labels.rounds, dataset, { directory, words: 1 });
  expect(rounds).toMatchObject({ rows: [{ name: 'before epoch 1', numbers: [['confidence', 0.75], ['as many as letters', 0.5], ['cut equally', 0.5]] }] }); // prettier-ignore
  expect(gallery).toMatchObject({ pictures: [{ caption: '“xyzzyx”: 2 found, cut equally' }] });
});
