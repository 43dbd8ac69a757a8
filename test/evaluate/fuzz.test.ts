import { expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from '../fastCheck.js';
import { scoreCocoFiles } from '../../src/evaluate/cocoFiles.js';
import { scoreDetEval } from '../../src/evaluate/detEval.js';
import { scoreIou } from '../../src/evaluate/hmean.js';
import { readIcdar } from '../../src/evaluate/icdarFiles.js';
import { scoreVoc } from '../../src/evaluate/voc.js';
import { readVocDetections } from '../../src/evaluate/vocDetections.js';
import { readVocTruth } from '../../src/evaluate/vocTruth.js';
import { FinetuneError } from '../../src/errors.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { writeFolder, writeZip } from './textData.js';
import { tinyCoco, writeJson } from './tinyCoco.js';

const runs = { numRuns: 300 };
const dir = temporaryFolder();

/** Bad input ends in an error of ours that says where; good input in numbers between 0 and 1, or −1. */
async function isHandled(work: () => Promise<readonly number[]>): Promise<void> {
  try {
    for (const value of await work()) {
      if (value === -1) continue;
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1 + 1e-12);
    }
  } catch (error) {
    if (!(error instanceof FinetuneError)) throw error;
    expect(error.code).not.toBe('E_INTERNAL');
    expect(error.problems.every(({ where, message }) => where?.file !== undefined || message.startsWith('… and'))).toBe(
      true,
    );
  }
}

/** The text with one place replaced, or cut off there. */
const damage = (text: string) =>
  fc
    .record({
      at: fc.nat({ max: text.length }),
      length: fc.nat({ max: 12 }),
      put: fc.oneof(
        fc.constantFrom('NaN', '-1', '1e999', '"', '{', ']', ',', '\0', '\uFFFD', 'null', '-', ' '),
        fc.string(),
      ),
      cut: fc.boolean(),
    })
    .map(({ at, length, put, cut }) => (cut ? text.slice(0, at) : text.slice(0, at) + put + text.slice(at + length)));

test('COCO files', async () => {
  const { truth, results } = tinyCoco();
  const gt = writeJson(dir, 'gt.json', truth);
  const dt = JSON.stringify(results.slice(0, 20));
  const values: object = { ...(await scoreCocoFiles(gt, writeJson(dir, 'dt.json', dt), 'bbox')).score };
  expect(values).toHaveProperty('AP');
  const bad = fc.oneof(damage(dt), fc.json());
  await fc.assert(
    fc.asyncProperty(bad, (text) =>
      isHandled(async () => {
        const { score } = await scoreCocoFiles(gt, writeJson(dir, 'dt.json', text), 'bbox');
        return [score.AP, score.AP50, score.AR100];
      }),
    ),
    runs,
  );
});

test('VOC results', async () => {
  const root = join(dir, 'voc');
  writeFolder(dir, 'voc/Annotations', {
    '000001.xml':
      '<annotation><object><name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>',
  });
  writeFolder(dir, 'voc/ImageSets/Main', { 'test.txt': '000001\n' });
  const truth = await readVocTruth(root, 'test');
  const known = { split: 'test', stems: ['000001'], classes: ['dog'], numbered: () => Promise.resolve(['dog']) };
  const score = (path: string) => isHandled(async () => [scoreVoc(truth, (await readVocDetections(path, known)).detections, 2007).score.mAP]); // prettier-ignore
  const json = '[{"image_id": "000001", "category_id": 1, "bbox": [0, 0, 9, 9], "score": 0.5}]';
  const comp4 = '000001 0.5 1 1 9 9\n000001 0.25 2 2 9 9\n';
  await fc.assert(fc.asyncProperty(fc.oneof(damage(json), fc.json()), (text) => score(writeJson(dir, 'voc.json', text))), runs); // prettier-ignore
  await fc.assert(
    fc.asyncProperty(damage(comp4), (text) => score(writeFolder(dir, 'comp4', { 'comp4_det_test_dog.txt': text }))),
    runs,
  );
});

test('ICDAR texts and zips', async () => {
  const quads = '10,10,90,12,88,40,9,38,word\r\n100,10,190,12,188,40,99,38,###\r\n10,60,90,60,90,80,10,80,1,000\r\n';
  const found = '11,10,90,12,88,41,9,38,0.9\n100,10,190,12,188,40,99,38,0.5\n10,60,90,60,90,80,10,80,0.1\n';
  const score = (gt: string, dt: string) =>
    isHandled(async () => {
      const data = await readIcdar(gt, dt);
      return [scoreIou(data), scoreDetEval(data)].flatMap(({ score: { precision, recall, hmean, AP = 0 } }) => [precision, recall, hmean, AP]); // prettier-ignore
    });
  const truth = writeFolder(dir, 'gt', { 'gt_img_1.txt': quads });
  const results = writeFolder(dir, 'dt', { 'res_img_1.txt': found });
  await score(truth, results);
  await fc.assert(fc.asyncProperty(damage(quads), (text) => score(writeFolder(dir, 'badGt', { 'gt_img_1.txt': text }), results)), runs); // prettier-ignore
  await fc.assert(fc.asyncProperty(damage(found), (text) => score(truth, writeFolder(dir, 'badDt', { 'res_img_1.txt': text }))), runs); // prettier-ignore
  const path = writeZip(dir, 'bad.zip', { 'res_img_1.txt': found.repeat(20), 'res_img_2.jpg': 'x' });
  const { readFileSync } = await import('node:fs');
  const good = new Uint8Array(readFileSync(path));
  const flips = fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(flips, (changes) => {
      const bytes = Uint8Array.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      writeFileSync(path, bytes);
      return score(truth, path);
    }),
    runs,
  );
});
