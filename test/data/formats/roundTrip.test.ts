import { describe, expect, test } from '@jest/globals';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { convert, type Converted } from '../../../src/convert/convert.js';
import { openDatasets, type DataOptions } from '../../../src/data/dataset.js';
import { detectLayouts } from '../../../src/data/formats/detect/detectLayouts.js';
import * as fc from '../../fastCheck.js';
import { temporaryFolder } from '../temporaryFolder.js';

const root = temporaryFolder();
const LAYOUTS = ['coco', 'voc', 'yolo', 'labelme', 'createml', 'csv', 'labelstudio', 'via', 'huggingface'] as const;
const [WIDTH, HEIGHT] = [60, 40];

/** Names that programs stumble over. */
const names = fc.uniqueArray(
  fc.constantFrom('cat', 'Dog, black', 'a "b" & <c>', 'né', "it's", '0', 'yes: no', '安全帽'),
  { minLength: 2, maxLength: 4 },
);
const whole = (min: number, max: number) => fc.integer({ min, max });
const box = fc
  .tuple(whole(0, 40), whole(0, 20), whole(1, 20), whole(1, 20), whole(0, 3), fc.boolean())
  .map(([x, y, w, h, quarter, far]) => ({ bbox: [x + quarter / 4, y, w, far ? h : h - 0.5], index: x }) as const);
const dataSet = fc.record({ names, images: fc.array(fc.array(box, { maxLength: 3 }), { minLength: 2, maxLength: 3 }) });

let picture: Buffer | undefined;

interface SourceBox {
  readonly bbox: readonly number[];
  readonly index: number;
  readonly iscrowd?: number;
  readonly ignore?: number;
}

async function writeSource(folder: string, { names: all, images }: { names: string[]; images: SourceBox[][] }) {
  picture ??= await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  for (const part of ['train', 'val']) {
    mkdirSync(join(folder, part), { recursive: true });
    let id = 0;
    const json = {
      images: images.map((_, i) => ({ id: i + 1, file_name: `${part}_${i}.jpg`, width: WIDTH, height: HEIGHT })),
      annotations: [[{ bbox: [1, 1, 5, 5], index: 0 }], ...images].flatMap((boxes, i) =>
        boxes.map(({ bbox, index, iscrowd = 0, ignore }: SourceBox) => ({
          id: ++id,
          image_id: Math.max(i, 1),
          category_id: (index % all.length) + 1,
          bbox,
          area: bbox[2]! * bbox[3]!,
          iscrowd,
          ...(ignore !== undefined && { ignore }),
        })),
      ),
      categories: all.map((name, i) => ({ id: i + 1, name })),
    };
    images.forEach((_, i) => {
      writeFileSync(join(folder, part, `${part}_${i}.jpg`), picture!);
    });
    writeFileSync(join(folder, `${part}.json`), JSON.stringify(json));
  }
}

async function contents(folder: string): Promise<unknown> {
  const [best] = await detectLayouts(folder);
  const { train, val } = await openDatasets(best!.data as unknown as DataOptions);
  return [train, val].map(({ annotations, categories }) =>
    annotations
      .map(({ file, boxes, classes }) => ({
        file: file.slice(file.lastIndexOf('/') + 1),
        objects: classes
          .map(
            (index, i) =>
              `${categories[index]!.name}: ${[0, 1, 2, 3].map((k) => boxes[4 * i + k]!.toFixed(3)).join(' ')}`,
          )
          .sort(),
      }))
      .sort((a, b) => (a.file < b.file ? -1 : 1)),
  );
}

/** The words of an ICDAR folder: the corners and the transcription of each. */
async function wordsOf(folder: string): Promise<unknown> {
  const [best] = await detectLayouts(folder);
  const defaults = { characters: 'split', transcriptions: true, crops: 1 };
  const { train, val } = await openDatasets({ ...defaults, ...best!.data } as unknown as DataOptions);
  return [train, val].map(({ annotations }) =>
    annotations.flatMap((annotation) =>
      annotation.kind === 'text'
        ? annotation.words.map(({ outline, text }) => `${text}: ${outline.map((n) => n.toFixed(2)).join(' ')}`).sort()
        : [],
    ),
  );
}

const run = (source: string, to: string, out: string): Promise<Converted> =>
  convert({ source, to, out, images: 'link' });

test.each(LAYOUTS)(
  'what goes through %s and any other layout is the same, but for the losses that are listed',
  async (first) => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(dataSet, async (set) => {
        const folder = join(root, `${first}-${count++}`);
        await writeSource(join(folder, 'source'), set);
        const expected = await contents(join(folder, 'source'));
        const there = await run(join(folder, 'source'), first, join(folder, first));
        expect(await contents(join(folder, first))).toEqual(expected);
        for (const second of LAYOUTS.filter((_, i) => (i + count) % 3 === 0)) {
          const converted = await run(join(folder, first), second, join(folder, `then-${second}`));
          expect(await contents(converted.out)).toEqual(expected);
          for (const { what } of [...there.losses, ...converted.losses])
            expect(what).toBe('category without an object');
          expect(converted.dropped).toEqual({ train: {}, val: {} });
        }
        rmSync(folder, { recursive: true });
      }),
      { numRuns: 2 },
    );
  },
);

/** What a layout makes of a mark: voc has difficult objects alone, and these five have no marks. */
const UNMARKED = 'crowd or ignored object, left out';
const WITHOUT_MARKS: readonly string[] = ['yolo', 'createml', 'labelstudio', 'via', 'huggingface'];

/** The objects of the training part with their marks, as a folder in a layout should have them, and the losses. */
function through(layout: string, objects: readonly string[]): { objects: string[]; losses: Record<string, number> } {
  const [marked, crowds] = [/ignore|crowd/, /crowd/].map((mark) => objects.filter((one) => mark.test(one)).length);
  if (WITHOUT_MARKS.includes(layout))
    return {
      objects: objects.filter((one) => !/ignore|crowd/.test(one)),
      losses: marked ? { [UNMARKED]: marked } : {},
    };
  if (layout !== 'voc') return { objects: [...objects], losses: {} };
  const losses = crowds ? { 'crowd, written as a difficult object': crowds } : {};
  return { objects: objects.map((one) => one.replace('crowd', 'ignore')).sort(), losses };
}

/** The objects of the training part as text, with their marks. */
async function markedOf(folder: string): Promise<string[]> {
  const [best] = await detectLayouts(folder);
  const { train } = await openDatasets(best!.data as unknown as DataOptions);
  const names = new Map<number, string>(train.categories.map(({ id, name }) => [id, name]));
  return train
    .toCoco()
    .annotations.map(({ bbox, category_id: id, iscrowd, ignore }) => {
      const mark = iscrowd === 1 ? 'crowd' : ignore === 1 ? 'ignore' : 'whole';
      return `${names.get(id)!} ${bbox.map((value) => Math.round(value)).join(' ')} ${mark}`;
    })
    .sort();
}

const pairs = LAYOUTS.flatMap((first, i) =>
  LAYOUTS.filter((_, k) => process.env.FINETUNE_SLOW === '1' || (i + k) % 4 === 0).map((second) => [first, second]),
);

describe('crowds and ignored objects pass through two layouts, or are listed as lost', () => {
  test.each(pairs)('%s, then %s', async (first, second) => {
    const folder = join(root, `marks ${first} ${second}`);
    await writeSource(join(folder, 'source'), {
      names: ['cat', 'dog'],
      images: [
        [
          { bbox: [2, 3, 10, 12], index: 0, iscrowd: 1 },
          { bbox: [20, 3, 10, 12], index: 1, ignore: 1 },
          { bbox: [40, 3, 10, 12], index: 0 },
        ],
        [{ bbox: [4, 5, 10, 12], index: 1 }],
      ],
    });
    let [at, objects] = [join(folder, 'source'), await markedOf(join(folder, 'source'))];
    expect(objects.filter((one) => /crowd|ignore/.test(one))).toHaveLength(2);
    for (const layout of [first, second]) {
      const converted = await run(at, layout, join(folder, `then ${layout} ${at.length}`));
      const expected = through(layout, objects);
      at = converted.out;
      objects = await markedOf(at);
      expect(objects).toEqual(expected.objects);
      const losses = converted.losses.filter(({ what }) => what !== 'category without an object');
      const perPart = Object.entries(expected.losses).map(([what, count]) => ({ what, count: 2 * count }));
      expect(losses).toEqual(perPart);
    }
    rmSync(folder, { recursive: true });
  });
});

test('boxes become words with the names of their classes in ICDAR, and words stay as they are', async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(dataSet, async (set) => {
      const folder = join(root, `icdar-${count++}`);
      await writeSource(join(folder, 'source'), set);
      const there = await run(join(folder, 'source'), 'icdar', join(folder, 'icdar'));
      expect(there.losses.map(({ what }) => what)).toEqual(['category, written as the transcription of a word']);
      const words = await wordsOf(join(folder, 'icdar'));
      expect(words).toEqual(await cornersOf(join(folder, 'source')));
      const again = await run(join(folder, 'icdar'), 'icdar', join(folder, 'again'));
      expect(again.losses).toEqual([]);
      expect(await wordsOf(join(folder, 'again'))).toEqual(words);
      rmSync(folder, { recursive: true });
    }),
    { numRuns: 2 },
  );
});

/** The objects of a folder as words: their classes, and the corners of their boxes. */
async function cornersOf(folder: string): Promise<unknown> {
  const [best] = await detectLayouts(folder);
  const { train, val } = await openDatasets(best!.data as unknown as DataOptions);
  return [train, val].map(({ annotations, categories }) =>
    annotations.flatMap(({ boxes, classes }) =>
      classes
        .map((index, i) => {
          const [x1, y1, x2, y2] = [0, 1, 2, 3].map((k) => boxes[4 * i + k]!.toFixed(2));
          return `${categories[index]!.name}: ${[x1, y1, x2, y1, x2, y2, x1, y2].join(' ')}`;
        })
        .sort(),
    ),
  );
}
