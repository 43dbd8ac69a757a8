import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { run } from '../../src/cli/program.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { writeFolder } from '../evaluate/textData.js';
import { tinyCoco, writeJson } from '../evaluate/tinyCoco.js';

const dir = temporaryFolder();
let said: string[];
let printed: string[];

beforeEach(() => {
  said = [];
  printed = [];
  jest.spyOn(console, 'error').mockImplementation((line: string) => said.push(line));
  jest.spyOn(console, 'log').mockImplementation((line: string) => printed.push(line));
});
afterEach(() => {
  jest.restoreAllMocks();
});

const { truth, results } = tinyCoco();
const gt = writeJson(dir, 'gt.json', truth);
const dt = writeJson(dir, 'dt.json', results);
const coco = (results: string, ...options: readonly string[]) =>
  run(['score', 'coco', '--gt', gt, '--dt', results, ...options]);

const quads = '10,10,90,12,88,40,9,38,word\n100,10,190,12,188,40,99,38,###\n10,60,90,60,90,80,10,80,b';
const textGt = writeFolder(dir, 'text-gt', { 'gt_img_1.txt': quads, 'gt_img_2.txt': '' });
const textDt = writeFolder(dir, 'text-dt', { 'res_img_1.txt': '11,10,90,12,88,41,9,38,0.5' });
const icdar = (...options: readonly string[]) => run(['score', 'icdar', '--gt', textGt, '--dt', textDt, ...options]);

const voc = join(dir, 'voc');
writeFolder(dir, 'voc/ImageSets/Main', { 'test.txt': '000001\n000002\n' });
writeFolder(
  dir,
  'voc/Annotations',
  Object.fromEntries(
    ['000001', '000002'].map((stem) => [
      `${stem}.xml`,
      '<annotation><size><width>50</width><height>40</height></size><object><name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object></annotation>',
    ]),
  ),
);
const vocDt = writeJson(dir, 'voc.json', [{ image_id: '000001', category: 'dog', bbox: [0, 0, 20, 30], score: 0.01 }]);

describe('--json prints the contract, and nothing else', () => {
  const only = (): Record<string, unknown> => {
    expect(printed).toHaveLength(1);
    return JSON.parse(printed[0]!) as Record<string, unknown>;
  };

  test('coco', async () => {
    expect(await coco(dt, '--json')).toBe(0);
    const numbers = ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl'];
    const result = only();
    expect(Object.keys(result)).toEqual(['metric', 'iouType', ...numbers, 'perCategory']);
    expect(result).toMatchObject({ metric: 'coco', iouType: 'bbox', perCategory: [{ id: 3, name: 'kind 3' }, { id: 7 }, { id: 9 }] }); // prettier-ignore
    expect(said).toEqual([]);
  });

  test('voc', async () => {
    const code = await run(['score', 'voc', '--gt', voc, '--split', 'test', '--dt', vocDt, '--json']);
    expect([code, said]).toEqual([0, []]);
    const AP = 6 / 11; // recalls 0 … 0.5
    expect(only()).toEqual({
      metric: 'voc',
      year: 2007,
      mAP: expect.closeTo(AP, 12),
      AP: { dog: expect.closeTo(AP, 12) },
    });
    printed = [];
    expect(await run(['score', 'voc', '--gt', voc, '--split', 'test', '--dt', vocDt, '--json', '--year', '2012'])).toBe(
      0,
    );
    expect(only()).toEqual({ metric: 'voc', year: 2012, mAP: 0.5, AP: { dog: 0.5 } });
  });

  test('icdar', async () => {
    expect([await icdar('--protocol', 'iou', '--json'), said]).toEqual([
      0,
      ['1 of 2 images have no result file: taken as no detections'],
    ]);
    const hmean: unknown = expect.closeTo(2 / 3, 12);
    expect(only()).toEqual({ metric: 'icdar', protocol: 'iou', precision: 1, recall: 0.5, hmean, images: 2, AP: 0.5 });
    expect(said).toEqual(['1 of 2 images have no result file: taken as no detections']);
    printed = [];
    expect(await icdar('--protocol', 'deteval', '--json')).toBe(0);
    expect(only()).toMatchObject({ protocol: 'deteval', recall: 0.5, images: 2 });
    expect(said.join('\n')).toContain('DetEval knows rectangles only');
  });

  test('with an interval', async () => {
    expect(await coco(dt, '--json', '--bootstrap', '100')).toBe(0);
    const interval = [expect.any(Number), expect.any(Number)];
    expect(only()).toMatchObject({ bootstrap: { samples: 100, confidence: 0.95, AP: interval, AP50: interval } });
  });
});

test('tables for people', async () => {
  expect(await coco(dt)).toBe(0);
  expect(printed.join('\n')).toMatch(
    /^COCO bbox, IoU \.50:\.05:\.95.*\n +AP +AP50 +AP75[\s\S]*\nkind 9 +0\.\d{3} +0\.\d{3}$/,
  );
  printed = [];
  expect(await icdar('--protocol', 'iou', '--bootstrap', '20')).toBe(0);
  expect(printed.join('\n')).toMatch(
    /precision +recall +hmean +AP\n +1\.000 +0\.500 +0\.667 +0\.500\n2 images, 2 words[\s\S]*bootstrap, 20 samples/,
  );
  printed = [];
  expect(await run(['score', 'voc', '--gt', voc, '--split', 'test', '--dt', vocDt])).toBe(0);
  expect(printed.join('\n')).toMatch(/class +objects +detections +AP\ndog +2 +1 +0\.545\nmean +0\.545/);
});

test('--report writes a page of its own for each metric', async () => {
  const commands = {
    coco: ['--gt', gt, '--dt', dt],
    voc: ['--gt', voc, '--dt', vocDt, '--split', 'test'],
    icdar: ['--gt', textGt, '--dt', textDt, '--protocol', 'iou'],
  };
  for (const [metric, options] of Object.entries(commands)) {
    const folder = join(dir, 'reports', metric);
    expect(await run(['score', metric, ...options, '--report', folder, '--bootstrap', '10'])).toBe(0);
    const page = readFileSync(join(folder, 'score.html'), 'utf8');
    expect(page).toContain('Images, worst first');
    expect(page).toContain('Precision over recall');
    expect(page).toContain('95 % interval');
    expect(page).not.toMatch(/<script|(?:src|href)="(?!#)/); // the page runs no script and loads no file
    expect(said.at(-1)).toBe(`report: ${join(folder, 'score.html')}`);
  }
});

describe('honesty', () => {
  test('a lowest score above 0.05 is warned of, on stderr', async () => {
    const file = writeJson(dir, 'cut.json', results.filter(({ score }) => score > 0.3)); // prettier-ignore
    expect(await coco(file, '--json')).toBe(0);
    expect(said).toEqual([expect.stringContaining('warning: the lowest score is 0.3')]);
  });

  test('a score of 0 is explained, a low one where the reason is certain', async () => {
    expect(await coco(writeJson(dir, 'none.json', []), '--json')).toBe(0);
    expect(said).toEqual(['the score is 0: the results have no detection']);
    said = [];
    const corners = results.map(({ bbox: [x, y, w, h], ...row }) => ({
      ...row,
      bbox: [x, y, x + w, y + h],
      score: 0.01,
    }));
    expect(await coco(writeJson(dir, 'corners.json', corners), '--json')).toBe(0);
    expect(said.join('\n')).toMatch(/the score is (0|low): the boxes look like x1, y1, x2, y2/);
    said = [];
    expect(
      await run(['score', 'voc', '--gt', voc, '--split', 'test', '--dt', writeJson(dir, 'e.json', []), '--json']),
    ).toBe(0);
    expect(said).toEqual(['the score is 0: the results have no detection']);
  });
});

test.each([
  [['score'], 'missing required args for command `score <metric>`'],
  [['score', 'cocoa'], 'there is no metric "cocoa": coco, voc, icdar'],
  [['score', 'coco', '--dt', 'x'], '--gt is missing'],
  [['score', 'coco', '--gt', 'x', '--dt', 'y', '--split', 'test'], '--split is not an option of "score coco"'],
  [
    ['score', 'coco', '--gt', 'x', '--dt', 'y', '--iou-type', 'box'],
    '--iou-type is one of bbox, segm, keypoints; got "box"',
  ],
  [['score', 'voc', '--gt', 'x', '--dt', 'y'], '--split is missing'],
  [
    ['score', 'voc', '--gt', 'x', '--dt', 'y', '--split', 'z', '--year', '2010'],
    '--year is one of 2007, 2012; got "2010"',
  ],
  [['score', 'icdar', '--gt', 'x', '--dt', 'y'], '--protocol is missing'],
  [['score', 'icdar', '--gt', 'x', '--dt', 'y', '--protocol', 'iou', '--bootstrap', 'many'], '--bootstrap is a number of samples, 1 to 1000000; got "many"'], // prettier-ignore
  [['score', 'coco', '--gtt', 'x'], 'Unknown option `--gtt`, did you mean "--gt"?'],
])('%j is a usage error', async (argv, message) => {
  expect(await run(argv)).toBe(2);
  expect(said.join('\n')).toBe(`${message}\nfinetune --help lists the commands and options   E_USAGE`);
  expect(printed).toEqual([]);
});

test.each([
  [['score', 'coco', '--gt', 'nowhere.json', '--dt', 'y'], 'E_COCO_FILE'],
  [['score', 'voc', '--gt', 'nowhere', '--dt', 'y', '--split', 'test'], 'E_VOC_SPLIT'],
  [['score', 'icdar', '--gt', 'nowhere', '--dt', 'y', '--protocol', 'iou'], 'E_ICDAR_FILE'],
])('%j fails with a located error', async (argv, code) => {
  expect(await run(argv)).toBe(1);
  expect(said.join('\n')).toMatch(new RegExp(`^nowhere.*   ${code}`));
  expect(said.join('\n')).not.toContain('    at ');
});

/** Packages that a module loads before it runs, through all that it imports. */
function packagesOf(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm);
  return [...imports].flatMap(([, name]) =>
    name!.startsWith('.') ? packagesOf(join(file, '..', name!.replace(/\.js$/, '.ts')), seen) : [name!],
  );
}

test('score coco starts fast: neither tfjs nor zod nor charts are loaded for it', () => {
  const loaded = ['cli/main', 'cli/score', 'cli/scoreCoco'].flatMap((name) =>
    packagesOf(resolve(import.meta.dirname, `../../src/${name}.ts`)),
  );
  expect([...new Set(loaded)].sort()).toEqual([
    'cac',
    'fastest-levenshtein',
    'node:fs',
    'node:fs/promises',
    'node:tty',
  ]);
});
