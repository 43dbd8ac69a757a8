import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { COCO, type CocoDataset, type CocoResult } from '../../src/pycocotools/index.js';
import { matchCoco, SIZES } from '../../src/evaluate/cocoMatches.js';
import { errorSections } from '../../src/evaluate/errorSections.js';
import { allPaths } from '../../src/recipe/options.js';
import { drawSection } from '../../src/report/drawSection.js';
import type { TableSection } from '../../src/tasks/section.js';

const goldens = JSON.parse(readFileSync('test/fixtures/tide/tide.json', 'utf8')) as {
  readonly truth: CocoDataset;
  readonly results: readonly CocoResult[];
}[];
function sectionsOf({ truth: dataset, results }: (typeof goldens)[number]) {
  const truth = new COCO(dataset);
  const detections = truth.loadRes([...results]);
  return errorSections({ truth, detections }, matchCoco(truth, detections, 'bbox'));
}

test('every option that an advice names is one of the recipe', () => {
  const paths = allPaths();
  const words = goldens.flatMap((golden) => (sectionsOf(golden)[0] as TableSection).rows.map((row) => row.at(-1)!));
  const named = new Set(
    words.flatMap((text) => text.match(/\b(?:data|model|train|evaluate)\.[A-Za-z.]+[A-Za-z]/g) ?? []),
  );
  expect(named.size).toBeGreaterThan(8);
  expect([...named].filter((path) => !paths.includes(path))).toEqual([]);
});

test('the sections draw a table, a matrix with its counts, and curves by class and size', async () => {
  const sections = sectionsOf(goldens[4]!);
  expect(sections.map(({ kind }) => kind)).toEqual(['table', 'matrix', 'curves']);
  const [table, matrix, curves] = await Promise.all(
    sections.map(async (section) => (await drawSection(section, {})).markup),
  );
  for (const kind of ['Cls', 'Loc', 'Both', 'Dupe', 'Bkg', 'Miss']) expect(table).toContain(kind);
  expect(matrix).toContain('not found');
  expect(matrix).toContain('class 1');
  expect(curves).toContain('by size of the objects');
  expect(curves!.match(/<svg/g)!.length).toBeGreaterThan(1);
});

test('curves by size hold the objects of that size, all of them together', () => {
  for (const { truth: dataset, results } of goldens.slice(0, 8)) {
    const truth = new COCO(dataset);
    const detections = truth.loadRes([...results]);
    const objects = (areas?: readonly [number, number]) =>
      matchCoco(truth, detections, 'bbox', areas && { areas })
        .classes.flatMap((entry) => [...entry.objects])
        .reduce((a, b) => a + b, 0);
    const bySize = [...SIZES.values()].map((areas) => objects(areas));
    expect(bySize.reduce((a, b) => a + b)).toBe(objects());
  }
});

test('without detections there are no confusions, and the rest can be drawn', async () => {
  const truth = new COCO(goldens[0]!.truth);
  const detections = truth.loadRes([]);
  const sections = errorSections({ truth, detections }, matchCoco(truth, detections, 'bbox'));
  expect(sections.map(({ kind }) => kind)).toEqual(['table', 'curves']);
  for (const section of sections) expect((await drawSection(section, {})).markup).toBeDefined();
});
