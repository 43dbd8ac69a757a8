import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import {
  COCOeval,
  loadCoco,
  mask,
  type CocoAnnotation,
  type CocoResult,
  type Rle,
} from '../../src/pycocotools/index.js';
import { readFixture } from './fixtures.js';

const FILE = fileURLToPath(
  new URL('../../../shared/data/coco_subset/annotations/instances_val2017.json', import.meta.url),
);
const present = existsSync(FILE);

interface Digests {
  readonly stats: readonly number[];
  readonly precision: string;
  readonly recall: string;
  readonly scores: string;
}
interface Golden {
  readonly rles: string;
  readonly bbox: Digests;
  readonly segm: Digests;
}

const digest = (data: string | Float64Array): string =>
  createHash('sha256')
    .update(typeof data === 'string' ? data : new Uint8Array(data.buffer))
    .digest('hex');

/** The detections of make.py, subset: arithmetic on the annotations. */
function shiftedBoxes(annotations: readonly CocoAnnotation[]): (CocoResult & { bbox: number[] })[] {
  return annotations.flatMap(({ image_id, category_id, bbox }, i) =>
    [0, 1, 2].map((j) => {
      const k = i * 3 + j;
      const [x = 0, y = 0, w = 0, h = 0] = bbox!;
      const box = [
        x + (w * (((k * 37) % 41) - 20)) / 80,
        y + (h * (((k * 53) % 43) - 21)) / 90,
        (w * (60 + ((k * 29) % 80))) / 100,
        h,
      ];
      return { image_id, category_id, score: ((k * 7919) % 1009) / 1009, bbox: box };
    }),
  );
}

const described = present ? describe : describe.skip;
described(`official annotations${present ? '' : ` (skipped: ${FILE} is absent)`}`, () => {
  test('bits are those of pycocotools: outlines, boxes, masks', async () => {
    const golden = readFixture('subset') as Golden;
    const gt = await loadCoco(FILE);
    const annotations = gt.dataset.annotations!;
    const codes: Rle[] = annotations.map((annotation) => gt.annToRLE(annotation));
    expect(digest(codes.map(({ counts }) => counts).join('\n'))).toBe(golden.rles);

    const boxes = shiftedBoxes(annotations);
    const masks = boxes.map(({ bbox, ...rest }, k): CocoResult => {
      const { height = 0, width = 0 } = gt.imgs.get(rest.image_id)!;
      if (k % 3 !== 0) return { ...rest, segmentation: mask.frPyObjects(bbox, height, width) };
      const source = ((k / 3) * 7) % annotations.length;
      const { image_id, category_id } = annotations[source]!;
      return { ...rest, image_id, category_id, segmentation: codes[source]! };
    });
    for (const [iouType, results] of [
      ['bbox', boxes],
      ['segm', masks],
    ] as const) {
      // prettier-ignore
      const run = new COCOeval(gt, gt.loadRes(results), iouType);
      run.evaluate();
      const { precision, recall, scores } = run.accumulate();
      expect([...run.summarize()]).toEqual(golden[iouType].stats);
      expect([precision, recall, scores].map(digest)).toEqual([
        golden[iouType].precision,
        golden[iouType].recall,
        golden[iouType].scores,
      ]);
    }
  });
});
