import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { openDatasets, type DataOptions } from '../../../src/data/dataset.js';
import { detectLayouts } from '../../../src/data/formats/detect/detectLayouts.js';
import type { Dataset } from '../../../src/data/sample.js';
import { temporaryFolder } from '../temporaryFolder.js';
import { smallSet } from './smallSet.js';
import { tools } from './tools.js';
import type { Tool } from './tools/shared.js';

const root = temporaryFolder();
process.env['XDG_CACHE_HOME'] = join(root, 'cache');

/** The boxes of a part by the images' sizes, which tell them apart whatever they are called. */
function boxesOf({ annotations, categories }: Dataset): Record<string, unknown> {
  const rows = annotations.map(({ width, height, boxes, classes }): [string, unknown] => {
    const objects = classes.map((index, i) => {
      const [x1, y1, x2, y2] = [0, 1, 2, 3].map((k) => Math.round(boxes[4 * i + k]!));
      return `${categories[index]!.name} ${x1!},${y1!},${x2! - x1!},${y2! - y1!}`;
    });
    return [`${width}x${height}`, objects.sort()];
  });
  return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const expected = (parts: readonly string[], called: Tool['called'] = {}): Record<string, unknown> =>
  Object.fromEntries(
    smallSet
      .filter(({ part }) => parts.includes(part))
      .map(({ width, height, boxes }): [string, unknown] => [
        `${width}x${height}`,
        boxes.map(({ name, box }) => `${called[name] ?? name} ${box.join(',')}`).sort(),
      ])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** Tables have no row for an image without boxes, unless they say so by an empty one. */
const withoutEmpty = (boxes: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(boxes).filter(([, objects]) => (objects as unknown[]).length > 0));

describe('the same boxes and classes come from the folder of every program', () => {
  test.each(Object.entries(tools))('%s', async (name, { parts = [], called, write }) => {
    const folder = join(root, name);
    await write(folder, smallSet);
    const [first] = await detectLayouts(folder);
    const isSplit = parts.includes('val');
    const data = { ...first!.data, ...(!isSplit && { val: first!.data['train'] }) } as unknown as DataOptions;
    const { train, val } = await openDatasets(data);
    expect(withoutEmpty(boxesOf(train))).toEqual(
      withoutEmpty(expected(isSplit ? ['train'] : ['train', 'val'], called)),
    );
    expect(withoutEmpty(boxesOf(val))).toEqual(withoutEmpty(expected(isSplit ? ['val'] : ['train', 'val'], called)));
    if (!/csv/.test(name) || name === 'keras-retinanet csv') expect(train.annotations).toHaveLength(isSplit ? 3 : 4);
  });
});
