import { describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COCOeval } from '../../src/pycocotools/index.js';
import { scoreCocoFiles } from '../../src/evaluate/cocoFiles.js';
import { cocoWarnings } from '../../src/evaluate/cocoWarnings.js';
import { cocoPair, scoreCoco, withFileNames } from '../../src/evaluate/coco.js';
import type { Dataset } from '../../src/data/sample.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyCoco, writeJson } from './tinyCoco.js';

const dir = temporaryFolder();
const { truth, results } = tinyCoco();
type Row = Record<string, unknown>;
const rows = (list: readonly object[]) => list as readonly Row[];

let files = 0;
/** Scores a truth and results, as texts or values. */
async function score(gt: unknown, dt: unknown, maxDets?: number) {
  const name = String(files++);
  return scoreCocoFiles(writeJson(dir, `gt${name}.json`, gt), writeJson(dir, `dt${name}.json`, dt), 'bbox', {
    maxDets,
  });
}
const withIds = (change: (id: number) => unknown, field = 'image_id') => ({
  truth: {
    ...truth,
    images:
      field === 'image_id'
        ? rows(truth.images).map((row) => ({ ...row, id: change(row['id'] as number) }))
        : truth.images,
    categories:
      field === 'category_id'
        ? rows(truth.categories).map((row) => ({ ...row, id: change(row['id'] as number) }))
        : truth.categories,
    annotations: rows(truth.annotations).map((row) => ({ ...row, [field]: change(row[field] as number) })),
  },
  results: rows(results).map((row) => ({ ...row, [field]: change(row[field] as number) })),
});
const warningsOf = ({ truth: gt, detections, source }: Awaited<ReturnType<typeof score>>, maxDets = 100) =>
  cocoWarnings(gt, detections, { ...source, iouType: 'bbox', maxDets });

describe('scoreCocoFiles', () => {
  test.each([
    ['images', 'image_id', 'img_'],
    ['categories', 'category_id', 'kind_'],
  ])('ids of %s may be texts: the score is that of numbers in the same order', async (_, field, prefix) => {
    const expected = (await score(truth, results)).score;
    const named = withIds((id) => `${prefix}${String(id).padStart(3, '0')}`, field);
    const { score: found } = await score(named.truth, named.results);
    expect({ ...found, perCategory: [] }).toEqual({ ...expected, perCategory: [] });
    if (field === 'category_id')
      expect(found.perCategory.map(({ id }) => id)).toEqual(['kind_003', 'kind_007', 'kind_009']);
  });

  test('ids beyond 2^53 are told apart', async () => {
    const expected = (await score(truth, results)).score;
    const huge = (value: object) => JSON.stringify(value).replace(/"((?:image_)?id)":"(\d+)"/g, '"$1": $2');
    const { truth: gt, results: dt } = withIds((id) => String(9007199254740992n + BigInt(id)));
    expect(huge(gt)).toContain('"id": 9007199254740993');
    expect((await score(huge(gt), huge(dt))).score).toEqual(expected);
  });

  test('unknown and repeated text ids are problems of the file', async () => {
    const named = withIds((id) => `i${id}`);
    await expect(score(named.truth, [{ ...results[0], image_id: 'i0' }])).rejects.toMatchObject({
      code: 'E_COCO_IMAGE_ID',
      message: expect.stringContaining('[0].image_id: the data set has no image "i0"') as unknown,
    });
    const twice = { ...named.truth, images: [...named.truth.images, named.truth.images[0]] };
    await expect(score(twice, [])).rejects.toMatchObject({ code: 'E_COCO_DUPLICATE_ID' });
  });

  test('a missing area is width × height; a missing box is named, each of them', async () => {
    const bare = { ...truth, annotations: rows(truth.annotations).map((row) => ({ ...row, area: undefined })) };
    const { score: found, source } = await score(bare, results);
    expect(found).toEqual((await score(truth, results)).score);
    expect(source.withoutArea).toBe(truth.annotations.length);
    const annotations = rows(truth.annotations).map((row, i) =>
      i === 1 ? { ...row, bbox: [] } : i === 4 ? { ...row, bbox: undefined } : i === 5 ? { ...row, iscrowd: '0' } : row,
    );
    const error = await score({ ...truth, annotations }, results).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      problems: [
        { code: 'E_COCO_FIELD', message: 'annotations[1] (id 2): has no "bbox"' },
        { code: 'E_COCO_FIELD', message: 'annotations[4] (id 5): has no "bbox"' },
        { code: 'E_COCO_FIELD', message: expect.stringContaining('annotations[5].iscrowd') as unknown },
      ],
    });
  });

  test('files in UTF-16 are read, those in other encodings are E_ENCODING with their line', async () => {
    const wide = (name: string, value: unknown) => {
      const file = join(dir, name);
      writeFileSync(file, Buffer.from(`\ufeff${JSON.stringify(value)}`, 'utf16le'));
      return file;
    };
    const { score: found } = await scoreCocoFiles(wide('gt16.json', truth), wide('dt16.json', results), 'bbox');
    expect(found).toEqual((await score(truth, results)).score);
    const latin = join(dir, 'latin.json');
    writeFileSync(latin, Buffer.from(JSON.stringify({ ...truth, info: 'né' }, null, 1), 'latin1'));
    const wrong = { code: 'E_ENCODING', problems: [{ where: { file: latin, line: expect.any(Number) as unknown } }] };
    await expect(scoreCocoFiles(latin, latin, 'bbox')).rejects.toMatchObject(wrong);
    const gt = writeJson(dir, 'gt.json', truth);
    await expect(scoreCocoFiles(gt, latin, 'bbox')).rejects.toMatchObject(wrong);
  });
});

describe('why a score is lower than expected', () => {
  const images = [{ id: 1, file_name: 'a.jpg', width: 1000, height: 1000 }];
  const categories = [{ id: 1, name: 'kind' }];
  const many = (count: number, from = 1) =>
    Array.from({ length: count }, (_, i) => ({
      ...{
        id: i + from,
        image_id: 1,
        category_id: 1,
        bbox: [(i % 40) * 20, Math.floor(i / 40) * 20, 15, 15],
        area: 225,
      },
      iscrowd: 0,
      score: 0.9 - i / 1000,
    }));
  const perfect = (annotations: readonly object[], maxDets?: number) =>
    score({ images, categories, annotations }, annotations, maxDets);

  test('an annotation of id 0 is never matched by pycocotools: a warning, and no word of low scores', async () => {
    const result = await perfect(many(5, 0));
    expect(result.score.AP).toBeLessThan(0.9);
    expect(warningsOf(result)).toEqual([expect.stringContaining('id 0')]);
    expect(warningsOf(await perfect(many(5)))).toEqual([]);
  });

  test('a part of a recipe is numbered from 1, so that its score is right', () => {
    const annotations = many(5, 0).map(({ bbox, ...row }) => ({ ...row, bbox: bbox as unknown as readonly [number, number, number, number], iscrowd: 0 as const })); // prettier-ignore
    const dataset = { toCoco: () => ({ images, categories, annotations }) } as unknown as Dataset;
    expect(scoreCoco(cocoPair(dataset, annotations)).AP).toBeCloseTo(1, 12);
  });

  test('predictions name the files of their images', () => {
    const dataset = { toCoco: () => ({ images, categories, annotations: [] }) } as unknown as Dataset;
    const detection = { image_id: 1, category_id: 1, bbox: [0, 0, 5, 5] as const, score: 0.5 };
    expect(withFileNames([detection], dataset)).toEqual([{ ...detection, file_name: 'a.jpg' }]);
  });

  test('more objects than detections that count: a warning, and an option', async () => {
    const result = await perfect(many(150));
    expect(result.score.AP).toBeLessThan(0.7);
    expect(warningsOf(result)).toEqual([expect.stringMatching(/"a.jpg" has 150 objects of "kind".*--max-dets 150/)]);
    const { score: all, ...raised } = await perfect(many(150), 150);
    expect(all).toMatchObject({
      AP: 1,
      AP50: 1,
      APs: 1,
      APm: -1,
      AR1: expect.closeTo(1 / 150) as unknown,
      AR10: expect.closeTo(10 / 150) as unknown,
      AR100: expect.closeTo(100 / 150) as unknown,
      AR: 1,
      maxDets: 150,
    });
    expect(warningsOf({ ...raised, score: all }, 150)).toEqual([]);
  });

  test('--max-dets counts as pycocotools does with these settings', async () => {
    const { score: found, truth: gt, detections } = await score(truth, results, 2);
    const evaluation = new COCOeval(gt, detections, 'bbox');
    evaluation.params.maxDets = [1, 2, 2];
    evaluation.evaluate();
    evaluation.accumulate();
    const stats = evaluation.summarize();
    expect([found.AP50, found.AP75, found.APs, found.APm, found.APl, found.AR1, found.AR]).toEqual(
      [1, 2, 3, 4, 5, 6, 8].map((i) => expect.closeTo(stats[i]!, 12) as unknown),
    );
    expect([found.AR10, found.AR100, found.maxDets]).toEqual([-1, -1, 2]);
  });

  test('low scores are the reason only where an object is not found', async () => {
    expect(warningsOf(await perfect(many(5)))).toEqual([]);
    const result = await score({ images, categories, annotations: many(6) }, many(5));
    expect(warningsOf(result)).toEqual([expect.stringContaining('the lowest score is 0.896')]);
  });
});
