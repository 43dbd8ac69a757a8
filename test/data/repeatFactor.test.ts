import { describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { openDatasets } from '../../src/data/dataset.js';
import { loadBatches } from '../../src/data/pipeline/loader.js';
import { repeatedLength, repeatFactors, repeatRows } from '../../src/data/repeatFactor.js';
import type { Annotation, Category, ClassIndex } from '../../src/data/sample.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { temporaryFolder } from './temporaryFolder.js';

const folder = temporaryFolder();

const categories = ['common', 'rare', 'absent'].map((name) => ({ name })) as unknown as Category[];
const image = (...classes: number[]): Annotation =>
  ({ kind: 'boxes', classes: classes as ClassIndex[], ignore: classes.map(() => false) }) as unknown as Annotation;
const labelled = (label: number): Annotation =>
  ({ kind: 'wholeImage', classes: [], ignore: [], label: label as ClassIndex }) as unknown as Annotation;
const counts = (rows: readonly number[], length: number): number[] =>
  rows.reduce<number[]>((all, row) => all.with(row, all[row]! + 1), new Array<number>(length).fill(0));

describe('repeat factors', () => {
  test('are √(t/f) of the rarest category on the image, and 1 for a common one or none', () => {
    const annotations = [image(0, 1), ...Array.from({ length: 14 }, () => image(0, 0)), image()];
    expect([...repeatFactors({ categories, annotations }, 0.25)]).toEqual([2, ...new Array<number>(15).fill(1)]); // f = 1/16
  });

  test('an object that is not to be learnt makes no category, and a class of images is one', () => {
    const ignored = { ...image(1), ignore: [true] } as Annotation;
    expect([...repeatFactors({ categories, annotations: [image(0), ignored] }, 1)]).toEqual([Math.SQRT2, 1]);
    const labels = [0, 0, 0, 1].map(labelled);
    const squares = repeatFactors({ categories, annotations: labels }, 1).map((factor) => factor ** 2);
    for (const [i, square] of squares.entries()) expect(square).toBeCloseTo([4 / 3, 4 / 3, 4 / 3, 4][i]!, 10);
  });
});

describe('the rows of an epoch', () => {
  test('whole factors give exact counts, in an order that epochs do not share', () => {
    const factors = Float64Array.of(3, 1, 2, 1);
    for (let epoch = 0; epoch < 20; epoch++) expect(counts(repeatRows(factors, 7, epoch), 4)).toEqual([3, 1, 2, 1]);
    expect(repeatRows(factors, 7, 0)).not.toEqual(repeatRows(factors, 7, 1));
    expect(repeatRows(factors, 7, 3)).toEqual(repeatRows(factors, 7, 3));
  });

  test('are ⌊r⌋ or ⌈r⌉ of each, as many in every epoch', () => {
    const factor = fc.double({ min: 1, max: 5, noNaN: true });
    fc.assert(
      fc.property(fc.array(factor, { minLength: 1, maxLength: 40 }), fc.nat(), fc.nat(50), (list, seed, epoch) => {
        const factors = Float64Array.from(list);
        const rows = repeatRows(factors, seed, epoch);
        expect(rows).toHaveLength(repeatedLength(factors));
        const short = counts(rows, list.length).filter((count, i) => count < Math.floor(list[i]!)).length;
        expect(short).toBeLessThanOrEqual(1); // rounding the sum up can leave one image short
        for (const [i, count] of counts(rows, list.length).entries()) expect(count).toBeLessThanOrEqual(Math.ceil(list[i]! + 1e-5)); // prettier-ignore
      }),
    );
  });

  test('come r times on average', () => {
    const factors = Float64Array.of(1, 1.25, 1.5, 2.75, 1.5);
    const epochs = 4000;
    const sums = counts(Array.from({ length: epochs }, (_, epoch) => repeatRows(factors, 1, epoch)).flat(), 5);
    for (const [i, sum] of sums.entries()) expect(Math.abs(sum / epochs - factors[i]!)).toBeLessThan(0.03); // σ ≤ 0.5/√4000 = 0.008
  });
});

test('a repeated image is another draw of the augmentation, and an epoch goes on where it stopped', async () => {
  const text = `{ task: detection, data: { format: synthetic, root: ${folder}, train: { images: 4 }, val: { images: 1 }, size: 64 } }`;
  const recipe = await parseRecipe(text, 'test.yaml');
  const { train } = await openDatasets(recipe.data);
  const options = { batch: 2, size: [64, 64] as const, seed: 1, epoch: 0, shuffle: true, dropLast: true, augment: recipe.data.augment, repeat: Float64Array.of(4, 1, 1, 2) }; // prettier-ignore
  const read = async (startAt: number) => {
    const found: { index: number; pixels: string }[] = [];
    for await (const { samples, indices } of loadBatches(train, { ...options, startAt }))
      for (const [i, { picture }] of samples.entries()) found.push({ index: indices[i]!, pixels: Buffer.from(picture.data).toString('base64') }); // prettier-ignore
    return found;
  };
  const whole = await read(0);
  expect(counts(whole.map(({ index }) => index), 4)).toEqual([4, 1, 1, 2]); // prettier-ignore
  expect(new Set(whole.map(({ pixels }) => pixels)).size).toBe(8);
  expect(await read(2)).toEqual(whole.slice(4));
});
