import { describe, expect, test } from '@jest/globals';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatasets, type DataOptions, type Datasets } from '../../src/data/dataset.js';
import { detectLayouts } from '../../src/data/formats/detect/detectLayouts.js';
import { assertSize } from '../../src/data/image/checkSize.js';
import { FinetuneError } from '../../src/errors.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import * as fc from '../fastCheck.js';
import { changed, type Holds } from './changes.js';
import { isHandled } from './damage.js';
import { readers } from './readers.js';

const root = temporaryFolder();
process.env['XDG_CACHE_HOME'] = join(root, 'cache');
mkdirSync(join(root, 'cache'));

/** Changed files for each reader: `npm run fuzz -- --times 1000 test/fuzz/formats` has 2,000. */
const numRuns = 2;
/** Milliseconds in which a folder of four images must be read. */
const LONGEST = 10_000;

const LABELS = /\.(?:json|jsonl|ndjson|manifest|xml|txt|csv|ya?ml|names|data|tar|parquet|zip|mat)$/;

/** What was read: the objects of each image with and without their classes and texts, and what was counted. */
interface Contents {
  readonly same: readonly string[];
  readonly boxes: readonly string[];
  readonly counted: Readonly<Record<string, number>>;
}

/** The name of a file; an image that stands in a file of labels has another one in the cache. */
const nameOf = (file: string): string => file.slice(file.lastIndexOf('/') + 1).replace(/^[\da-f]{40}/, '');

function contentsOf({ train, val }: Datasets): Contents {
  const rows = [train, val].flatMap(({ annotations, categories }) =>
    annotations.map((annotation) => {
      const { file, boxes, classes, ignore, width, height } = annotation;
      expect(boxes.length).toBe(4 * classes.length);
      const objects = classes.map((index, i) => {
        const [x1, y1, x2, y2] = [...boxes.subarray(4 * i, 4 * i + 4)] as [number, number, number, number];
        const [most, least] = annotation.kind === 'text' ? [Infinity, -Infinity] : [0, 0]; // words may reach beyond
        expect(x2 > Math.max(x1, 0) && y2 > Math.max(y1, 0) && x1 < width && y1 < height).toBe(true);
        expect(x1 >= least && y1 >= least && x2 <= width + most && y2 <= height + most).toBe(true);
        expect(categories[index]).toBeDefined();
        const box = [x1, y1, x2, y2].map((value) => value.toFixed(2)).join(' ');
        const word = annotation.kind === 'text' ? annotation.words[i]!.text : '';
        return { box, same: `${categories[index]!.name} ${box} ${word} ${String(ignore[i])}` };
      });
      const label = annotation.kind === 'wholeImage' ? categories[annotation.label]!.name : '';
      const image = `${nameOf(file)} ${width}x${height}`;
      const list = (texts: string[]): string => texts.sort().join(', ');
      return {
        boxes: `${image} ${list(objects.map(({ box }) => box))}`,
        same: `${image} ${label} ${list(objects.map(({ same }) => same))}`,
      };
    }),
  );
  const counted: Record<string, number> = {};
  for (const { dropped } of [train, val])
    for (const [reason, count] of Object.entries(dropped)) counted[reason] = (counted[reason] ?? 0) + count;
  return { same: rows.map(({ same }) => same).sort(), boxes: rows.map(({ boxes }) => boxes).sort(), counted };
}

/** Throws unless the reading is right, as far as the change lets one tell. */
function compare(before: Contents, after: Contents, holds: Holds): void {
  const isCounted = Object.entries(after.counted).some(([reason, count]) => count > (before.counted[reason] ?? 0));
  if (holds === 'sane' || isCounted) return;
  expect(after[holds]).toEqual(before[holds]);
}

/** Compares the sizes with those of the images, as training does before it learns from one. */
async function withSizes(datasets: Datasets): Promise<Datasets> {
  for (const { annotations } of [datasets.train, datasets.val])
    for (const annotation of annotations) await assertSize(annotation, true);
  return datasets;
}

/** Throws unless the error is one of ours that says where something is wrong. */
function located(error: unknown): undefined {
  if (!(error instanceof FinetuneError)) throw error;
  for (const { message, where, option } of error.problems) {
    expect(message).not.toMatch(/\bundefined\b|\[object |internal:/);
    if (!/^… and/.test(message)) expect(where?.file ?? option).toBeDefined();
  }
  return undefined;
}

interface Subject {
  readonly folder: string;
  readonly data: DataOptions;
  readonly before: Contents;
  /** The files to change: those of labels, and an image. */
  readonly sound: ReadonlyMap<string, Uint8Array>;
}

async function subjectIn(folder: string, write: (root: string) => Promise<DataOptions>): Promise<Subject> {
  const data = await write(folder);
  const before = contentsOf(await openDatasets(data));
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const image = files.find((file) => file.endsWith('.jpg'));
  const chosen = [...files.filter((file) => LABELS.test(file)), ...(image === undefined ? [] : [image])];
  return { folder, data, before, sound: new Map(chosen.map((file) => [file, readFileSync(join(folder, file))])) };
}

/** Layouts of text in which a number that is damaged may be the beginning of a transcription. */
const IN_DOUBT = /2019-ArT$|Total-Text$|unknown/;

describe.each([...readers])('%s', (name, writes) => {
  test('a changed file gives a right reading, or an error that says where', async () => {
    const subjects: Subject[] = [];
    for (const [i, write] of writes.entries()) subjects.push(await subjectIn(join(root, name, String(i)), write));
    const change = fc
      .constantFrom(...subjects)
      .chain((subject) => fc.constantFrom(...subject.sound).map((file) => ({ subject, file })))
      .chain(({ subject, file: [file, sound] }) => changed(file, sound).map((one) => ({ subject, file, sound, one })));
    const property = fc.asyncProperty(change, fc.nat(9), async ({ subject, file, sound, one }, policy) => {
      const { folder, data, before } = subject;
      writeFileSync(join(folder, file), one.bytes);
      const start = performance.now();
      const policies = policy === 0 ? { brokenImages: 'drop', invalidBoxes: 'drop' } : {};
      try {
        const after = await openDatasets({ ...data, ...policies } as DataOptions)
          .then(withSizes)
          .catch(located);
        const holds = one.holds === 'same' && IN_DOUBT.test(name) ? 'sane' : one.holds;
        if (after) compare(before, contentsOf(after), holds);
        if (policy < 3) await isHandled(() => detectLayouts(folder));
        expect(performance.now() - start).toBeLessThan(LONGEST);
      } catch (error) {
        throw new Error(`${one.what} in ${file}: ${String(error)}`, { cause: error });
      } finally {
        writeFileSync(join(folder, file), sound);
      }
    });
    await fc.assert(property, { numRuns });
  }, 1_800_000);
});
