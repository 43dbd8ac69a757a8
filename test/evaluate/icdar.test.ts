import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scoreDetEval } from '../../src/evaluate/detEval.js';
import { scoreIou, type IcdarResult } from '../../src/evaluate/hmean.js';
import { readIcdar } from '../../src/evaluate/icdarFiles.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { testOnShared } from '../data/sharedData.js';
import { writeFolder, writeZip } from './textData.js';

type Files = Readonly<Record<string, string>>;

interface Golden {
  readonly protocol: 'iou' | 'deteval';
  readonly gt: Files;
  readonly dt: Files;
  readonly expected: {
    readonly precision: number;
    readonly recall: number;
    readonly hmean: number;
    readonly AP?: number;
    readonly perImage?: Readonly<Record<string, readonly [precision: number, recall: number, hmean: number]>>;
  };
}

/** How it was made: test/fixtures/icdar/make.py. */
const golden = JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/icdar/icdar.json'), 'utf8')) as {
  readonly cases: readonly Golden[];
  readonly shared: Readonly<Record<string, Golden>>;
};

const dir = temporaryFolder();

async function scoreFolders(protocol: Golden['protocol'], gt: string, dt: string): Promise<IcdarResult> {
  const data = await readIcdar(gt, dt);
  return protocol === 'iou' ? scoreIou(data) : scoreDetEval(data);
}

function expectEqual({ score, images }: IcdarResult, { perImage, ...expected }: Golden['expected']): void {
  for (const [name, value] of Object.entries(expected)) expect(score).toHaveProperty(name, expect.closeTo(value, 12));
  expect('AP' in score).toBe('AP' in expected);
  for (const { id, precision, recall, hmean } of perImage ? images : []) {
    const close = perImage![id]!.map((value) => expect.closeTo(value, 12) as unknown);
    expect([precision, recall, hmean]).toEqual(close);
  }
}

describe('golden figures', () => {
  test.each(golden.cases.map((entry, i) => [i, entry.protocol, entry] as const))(
    'case %i, %s: equal to the Python implementation, as folders and as zips',
    async (i, protocol, { gt, dt, expected }) => {
      const folders = [writeFolder(dir, `gt${i}`, gt), writeFolder(dir, `dt${i}`, dt)] as const;
      expectEqual(await scoreFolders(protocol, ...folders), expected);
      const zips = [writeZip(dir, `gt${i}.zip`, gt), writeZip(dir, `dt${i}.zip`, dt)] as const;
      expectEqual(await scoreFolders(protocol, ...zips), expected);
    },
  );

  for (const [folder, { protocol, dt, expected }] of Object.entries(golden.shared)) {
    testOnShared(`${folder} with perturbed boxes, ${protocol}`, folder, async (truth) => {
      const results = writeFolder(dir, folder.replaceAll('/', '-'), dt);
      expectEqual(await scoreFolders(protocol, truth, results), expected);
    });
  }
});

describe('IoU protocol', () => {
  const score = async (gt: string, dt: string) =>
    (
      await scoreFolders(
        'iou',
        writeFolder(dir, 'g', { 'gt_img_1.txt': gt }),
        writeFolder(dir, 'd', { 'res_img_1.txt': dt }),
      )
    ).images[0]!;

  test('matches greedily in file order, and needs more than half', async () => {
    // IoU of the halves with the whole is exactly 0.5: no match
    expect(await score('0,0,10,0,10,10,0,10,a', '0,0,10,0,10,5,0,5')).toMatchObject({ recallHits: 0 });
    expect(await score('0,0,10,0,10,10,0,10,a', '0,0,10,0,10,6,0,6')).toMatchObject({ recallHits: 1 });
    // the first word takes the detection that the second would fit better
    const words = '0,0,10,0,10,10,0,10,a\n2,0,12,0,12,10,2,10,b';
    expect(await score(words, '2,0,12,0,12,10,2,10')).toMatchObject({ recallHits: 1, words: 2, detections: 1 });
  });

  test('leaves out what lies by more than half in a don’t-care word', async () => {
    const words = '0,0,10,0,10,10,0,10,###\n100,0,110,0,110,10,100,10,a';
    expect(await score(words, '0,0,20,0,20,10,0,10')).toMatchObject({ words: 1, detections: 1 }); // exactly half
    expect(await score(words, '0,0,18,0,18,10,0,10')).toMatchObject({ words: 1, detections: 0 });
  });

  test('the way round makes no difference, nor do fractions: they are cut', async () => {
    expect(await score('0,0,10,0,10,10,0,10,a', '0,10,10,10,10,0,0,0')).toMatchObject({ hmean: 1 });
    expect(await score('0,0,10,0,10,10,0,10,a', '0.9,0,10.9,0,10,10.5,0,10')).toMatchObject({ hmean: 1 });
  });
});

describe('DetEval', () => {
  const score = async (gt: string, dt: string) =>
    (
      await scoreFolders(
        'deteval',
        writeFolder(dir, 'rg', { 'gt_1.txt': gt }),
        writeFolder(dir, 'rd', { 'res_1.txt': dt }),
      )
    ).score;

  test('a word in two pieces is worth 0.8, two words in one box are worth their number', async () => {
    expect(await score('0 0 99 9 "ab"', '0,0,49,9\n50,0,99,9')).toMatchObject({ recall: 0.8, precision: 0.8 });
    expect(await score('0 0 49 9 "a"\n50 0 99 9 "b"', '0,0,99,9')).toMatchObject({ recall: 1, precision: 1 });
  });

  test('the right and bottom pixels belong to a rectangle', async () => {
    expect(await score('0 0 9 9 "a"', '0,0,7,9')).toMatchObject({ recall: 1 }); // 8 of 10 columns; 7 of 9 would be too few
    expect(await score('0 0 9 9 "a"', '0,0,6,9')).toMatchObject({ recall: 0 });
  });
});

test('500 images are read from archives and scored', async () => {
  const quad = (x: number, y: number) => `${x},${y},${x + 60},${y + 5},${x + 58},${y + 25},${x - 2},${y + 20}`;
  const rows = (shift: number, end: string) =>
    Array.from(
      { length: 20 },
      (_, i) => quad(10 + shift + (i % 5) * 70, 10 + shift + Math.floor(i / 5) * 30) + end,
    ).join('\n');
  const gt: Record<string, string> = {};
  const dt: Record<string, string> = {};
  for (let n = 1; n <= 500; n++) {
    gt[`gt_img_${n}.txt`] = rows(0, n % 3 === 0 ? ',###' : ',word');
    dt[`res_img_${n}.txt`] = rows(n % 7, ',0.5');
  }
  const paths = [writeZip(dir, 'big-gt.zip', gt), writeZip(dir, 'big-dt.zip', dt)] as const;
  const { score } = await scoreFolders('iou', ...paths);
  expect(score).toMatchObject({ images: 500 });
});
