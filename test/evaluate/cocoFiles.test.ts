import { describe, expect, test } from '@jest/globals';
import { bootstrap, bootstrapCoco, bootstrapVoc } from '../../src/evaluate/bootstrap.js';
import { scoreCocoFiles } from '../../src/evaluate/cocoFiles.js';
import { matchCoco } from '../../src/evaluate/cocoMatches.js';
import { compareCoco } from '../../src/evaluate/compare.js';
import { explainZero, warnOfThreshold } from '../../src/evaluate/explain.js';
import { countByImage, curveOf } from '../../src/evaluate/matches.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyCoco, writeJson, type TinyCoco } from './tinyCoco.js';

const dir = temporaryFolder();
const { truth, results } = tinyCoco();
const gt = writeJson(dir, 'gt.json', truth);
const score = (rows: unknown) => scoreCocoFiles(gt, writeJson(dir, 'dt.json', rows), 'bbox');

describe('scoreCocoFiles', () => {
  test('has the keys of the contract and categories by name', async () => {
    const { score: result } = await score(results);
    const numbers = ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl'];
    expect(Object.keys(result)).toEqual(['metric', 'iouType', ...numbers, 'perCategory']);
    expect(result.perCategory.map(({ id, name }) => [id, name])).toEqual([[3, 'kind 3'], [7, 'kind 7'], [9, 'kind 9']]); // prettier-ignore
    const mean = result.perCategory.reduce((sum, { AP }) => sum + AP / 3, 0);
    expect(result.AP).toBeCloseTo(mean, 12);
  });

  test.each([
    ['truncated', '[{"image_id": 1, "category', 'E_COCO_JSON'],
    ['NaN', '[{"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, NaN], "score": 1}]', 'E_COCO_NUMBER'],
    ['unknown image', [{ ...results[0], image_id: 999 }], 'E_COCO_IMAGE_ID'],
    ['unknown category', [{ ...results[0], category_id: 1 }], 'E_COCO_CATEGORY_ID'],
    ['negative size', [{ ...results[0], bbox: [1, 1, -5, 5] }], 'E_COCO_SIZE'],
    ['no results', truth, 'E_COCO_FORMAT'],
    ['lists of 10,000 levels', `${'['.repeat(1e4)}${']'.repeat(1e4)}`, 'E_COCO_FORMAT'],
  ])('%s is an error of ours that names the file', async (_name, rows, code) => {
    const error = {
      name: 'FinetuneError',
      code,
      problems: [{ where: { file: expect.stringContaining('dt.json') as unknown } }],
    };
    await expect(score(rows)).rejects.toMatchObject(error);
  });

  test('an annotation file without its lists', async () => {
    const file = writeJson(dir, 'bare.json', { images: [] });
    await expect(scoreCocoFiles(file, file, 'bbox')).rejects.toMatchObject({ code: 'E_COCO_LAYOUT' });
  });
});

describe('matches', () => {
  test('carry the same AP50 as COCOeval, for every category', async () => {
    const { score: result, truth: coco, detections } = await score(results);
    const matches = matchCoco(coco, detections, 'bbox');
    for (const [k, entry] of matches.classes.entries()) {
      const { recall, precision } = curveOf(entry);
      const best = Array.from({ length: 101 }, (_, r) =>
        Math.max(0, ...precision.filter((_p, i) => recall[i]! >= r / 100 - 1e-12)),
      );
      expect(best.reduce((sum, value) => sum + value, 0) / 101).toBeCloseTo(result.perCategory[k]!.AP50, 9);
    }
  });

  test('by image: what is found at the best threshold, and the worst image', async () => {
    const { truth: coco, detections } = await score(results);
    const { images } = countByImage(matchCoco(coco, detections, 'bbox'));
    expect(images).toHaveLength(60);
    expect(images.reduce((sum, { objects }) => sum + objects, 0)).toBe(truth.annotations.length);
    expect(images.every(({ f1, hits, objects }) => f1 >= 0 && f1 <= 1 && hits <= objects)).toBe(true);
  });
});

describe('bootstrap', () => {
  test('of a mean has the width of the theory, and the same seed gives the same interval', () => {
    const values = Array.from({ length: 400 }, (_, i) => ((i * 7919) % 100) / 100);
    const mean = (weights: Uint32Array) => ({
      mean: values.reduce((sum, value, i) => sum + value * weights[i]!, 0) / values.length,
    });
    const [low, high] = bootstrap(400, { samples: 2000 }, mean)['mean']!;
    expect(high - low).toBeCloseTo((2 * 1.96 * 0.2887) / 20, 2); // the standard deviation of 0 … 0.99 is 0.2887, and √400 = 20
    expect(bootstrap(400, { samples: 50 }, mean)).toEqual(bootstrap(400, { samples: 50 }, mean));
    expect(bootstrap(400, { samples: 50, seed: 1 }, mean)).not.toEqual(bootstrap(400, { samples: 50 }, mean));
  });

  test('encloses the score, and is a point where every image is perfect', async () => {
    const { score: result, truth: coco, detections } = await score(results);
    const matches = matchCoco(coco, detections, 'bbox');
    const { AP, AP50 } = bootstrapCoco(matches, 200);
    expect(AP![0]).toBeLessThan(result.AP);
    expect(AP![1]).toBeGreaterThan(result.AP);
    expect(AP50![1]).toBeGreaterThan(AP![1]);
    const perfect = await score((truth.annotations as TinyCoco['results']).map((row) => ({ ...row, score: 1 })));
    const exact = matchCoco(perfect.truth, perfect.detections, 'bbox');
    expect(bootstrapCoco(exact, 20)).toEqual({ AP: [1, 1], AP50: [1, 1] });
    expect(bootstrapVoc(exact, 2012, 20)['mAP']!.map((value) => expect.closeTo(value, 12) as unknown)).toEqual([1, 1]);
  });
});

describe('explanations', () => {
  const why = async (change: (row: TinyCoco['results'][number]) => object) => {
    const { truth: coco, detections } = await score(results.map(change));
    return explainZero(compareCoco(coco, detections));
  };

  test.each([
    ['x1, y1, x2, y2', ([x, y, w, h]: readonly number[]) => [x, y, x! + w!, y! + h!]],
    ['centre x, centre y', ([x, y, w, h]: readonly number[]) => [x! + w! / 2, y! + h! / 2, w, h]],
    ['normalised to 0 … 1', ([x, y, w, h]: readonly number[]) => [x! / 640, y! / 480, w! / 640, h! / 480]],
    [
      '300×300 image',
      ([x, y, w, h]: readonly number[]) => [(x! * 300) / 640, (y! * 300) / 480, (w! * 300) / 640, (h! * 300) / 480],
    ],
    ['swapped', ([x, y, w, h]: readonly number[]) => [y, x, h, w]],
  ])('boxes that are %s', async (says, change) => {
    const bbox = (row: TinyCoco['results'][number]) => ({ ...row, bbox: change(row.bbox).map((v) => Math.max(0, v!)) });
    const { reasons, isCertain } = await why(bbox);
    expect(reasons.join()).toContain(says);
    expect(isCertain).toBe(true);
  });

  test('category ids that do not match', async () => {
    const next = new Map([[3, 7], [7, 9], [9, 3]]); // prettier-ignore
    const { reasons } = await why((row) => ({ ...row, category_id: next.get(row.category_id) }));
    expect(reasons.join()).toMatch(
      /the boxes fit, but the categories do not: "\d kind \d" is detected as "\d kind \d"/,
    );
  });

  test('nothing detected, nothing to detect, other images, boxes anywhere', async () => {
    const empty = await score([]);
    expect(explainZero(compareCoco(empty.truth, empty.detections)).reasons).toEqual(['the results have no detection']);
    const box = { category: 'a', box: [0, 0, 5, 5] as const };
    const image = { width: 9, height: 9 };
    const say = (...images: Parameters<typeof explainZero>[0]) => explainZero(images).reasons.join();
    expect(say({ ...image, truth: [], detections: [box] })).toContain('has no object');
    expect(say({ ...image, truth: [box], detections: [] }, { ...image, truth: [], detections: [box] })).toContain('image ids do not seem to match'); // prettier-ignore
    const far = { category: 'b', box: [100, 200, 105, 205] as const };
    expect(say({ ...image, truth: [box], detections: [far] })).toContain('hardly any detection lies on an object');
  });

  test('a lowest score above 0.05 is worth a warning', () => {
    const missed = [{ width: 9, height: 9, truth: [{ category: 'a', box: [0, 0, 5, 5] as const }], detections: [] }];
    expect(warnOfThreshold(0.05, () => missed)).toBeUndefined();
    expect(warnOfThreshold(Infinity, () => missed)).toBeUndefined(); // there is no detection: another warning covers that
    expect(warnOfThreshold(0.3, () => missed)).toContain('the lowest score is 0.300');
    expect(warnOfThreshold(0.3, () => [])).toBeUndefined();
  });
});
