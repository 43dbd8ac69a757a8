import { describe, expect, test } from '@jest/globals';
import { COCO, COCOeval, type Params } from '../../src/pycocotools/index.js';
import { maxDifference, readArrays, readCase, type EvalCase } from './fixtures.js';

/** Settings come from JSON: thresholds are plain arrays there. */
function apply(params: Params, settings: Partial<Params>): Params {
  for (const [key, value] of Object.entries(settings)) {
    Object.assign(params, { [key]: key.endsWith('Thrs') ? Float64Array.from(value as ArrayLike<number>) : value });
  }
  return params;
}

function evaluated({ dataset, results, iouType, settings }: EvalCase): COCOeval {
  const gt = new COCO(dataset);
  const run = new COCOeval(gt, gt.loadRes(results), iouType);
  apply(run.params, settings);
  run.evaluate();
  return run;
}

function withParams(run: COCOeval, settings: Partial<Params>): COCOeval {
  Object.assign(run.params, settings);
  run.evaluate();
  run.accumulate();
  return run;
}

describe('golden evaluations of pycocotools', () => {
  test.each([
    'bbox',
    'bbox-dense',
    'bbox-nocats',
    'bbox-settings',
    'bbox-subset',
    'segm',
    'segm-nocats',
    'keypoints',
    'keypoints-nocats',
  ])('%s', (name) => {
    const golden = readCase(name);
    const run = evaluated(golden);
    const result = run.accumulate(apply({ ...run.params }, golden.later));
    const [precision, recall, scores] = readArrays(name, golden.counts);
    expect(result.counts).toEqual(golden.counts);
    expect(maxDifference(result.precision, precision!)).toBeLessThanOrEqual(1e-12);
    expect(maxDifference(result.recall, recall!)).toBeLessThanOrEqual(1e-12);
    expect(maxDifference(result.scores, scores!)).toBeLessThanOrEqual(1e-12);
    if (golden.stats) expect([...run.summarize()]).toEqual(golden.stats);
  });

  test('the cases are not trivial', () => {
    for (const name of ['bbox', 'segm', 'keypoints']) {
      const values = new Set(readArrays(name, readCase(name).counts)[0]);
      expect(values.size).toBeGreaterThan(20);
    }
  });

  test('evaluateImg gives the entries of evalImgs', () => {
    const golden = readCase('bbox');
    const run = evaluated(golden);
    expect(golden.evalImgs!.length).toBeGreaterThan(100);
    for (const { image_id, category_id, aRng, ...expected } of golden.evalImgs!) {
      expect(run.evaluateImg(image_id, category_id, aRng)).toMatchObject(expected);
    }
    expect(run.evaluateImg(-1, 3, [0, 1])).toBeUndefined();
  });

  test('summarize prints the lines of upstream', () => {
    const golden = readCase('bbox-dense');
    const run = evaluated(golden);
    const lines: string[] = [];
    run.accumulate();
    run.summarize((line) => lines.push(line));
    expect(lines).toHaveLength(12);
    expect(lines[1]).toMatch(
      /^ Average Precision {2}\(AP\) @\[ IoU=0\.50 {6}\| area= {3}all \| maxDets=100 \] = 0\.\d{3}$/,
    );
  });
});

describe('edges', () => {
  const images = [{ id: 1, width: 10, height: 10 }];
  const categories = [{ id: 1, name: 'dog' }];
  const annotation = { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 5, 5], area: 25, iscrowd: 0 };

  test('no detections: zero, not −1; no annotations: −1', () => {
    const gt = new COCO({ images, categories, annotations: [annotation] });
    const run = new COCOeval(gt, gt.loadRes([]), 'bbox');
    run.evaluate();
    run.accumulate();
    expect([...run.summarize()].slice(0, 4)).toEqual([0, 0, 0, 0]);
    const empty = new COCO({ images, categories, annotations: [] });
    const nothing = new COCOeval(empty, empty.loadRes([]), 'bbox');
    nothing.evaluate();
    nothing.accumulate();
    expect([...nothing.summarize()]).toEqual(Array(12).fill(-1));
  });

  test('a second run with other settings starts anew', () => {
    const gt = new COCO({ images, categories, annotations: [annotation] });
    const dt = gt.loadRes([{ image_id: 1, category_id: 1, bbox: [0, 0, 5, 5], score: 0.5 }]);
    const run = new COCOeval(gt, dt, 'bbox');
    for (const useCats of [1, 0, 1] as const) {
      run.params.useCats = useCats;
      run.evaluate();
      run.accumulate();
      expect(run.summarize()[0]).toBeCloseTo(1, 12);
    }
  });

  test.each([
    ['E_COCO_ORDER', (run: COCOeval) => run.accumulate()],
    ['E_COCO_ORDER', (run: COCOeval) => run.summarize()],
    ['E_COCO_ORDER', (run: COCOeval) => run.stats],
    ['E_COCO_PARAMS', (run: COCOeval) => withParams(run, { iouThrs: Float64Array.of(NaN) })],
    ['E_COCO_PARAMS', (run: COCOeval) => withParams(run, { maxDets: [] })],
    ['E_COCO_PARAMS', (run: COCOeval) => withParams(run, { maxDets: [5] }).summarize()],
    ['E_COCO_FIELD', (run: COCOeval) => withParams(run, { iouType: 'segm' })],
    ['E_COCO_KEYPOINTS', (run: COCOeval) => withParams(run, { iouType: 'keypoints' })],
  ])('%s', (code, act) => {
    const gt = new COCO({ images, categories, annotations: [annotation] });
    const run = new COCOeval(gt, gt.loadRes([{ image_id: 1, category_id: 1, bbox: [0, 0, 5, 5], score: 0.5 }]), 'bbox');
    expect(() => act(run)).toThrow(expect.objectContaining({ name: 'CocoError', code }));
  });
});
