import { expect, test } from '@jest/globals';
import { mixedLength, mixedRows } from '../../src/data/oldImages.js';
import { relabel } from '../../src/data/relabel.js';
import { numberCategories } from '../../src/data/categories.js';
import type { Annotation, CategoryId, ClassIndex, Dataset } from '../../src/data/sample.js';
import { xyxy } from '../../src/geometry/box.js';

const part = (count: number): Dataset => {
  const annotations = Array.from({ length: count }, (_, i): Annotation => ({ kind: 'boxes', imageId: i, file: '', width: 1, height: 1, boxes: xyxy([0, 0, 1, 1]), classes: [(i % 2) as ClassIndex], ignore: [false] })); // prettier-ignore
  const categories = [7, 3].map((id) => ({ id: id as CategoryId, name: id === 7 ? 'tv monitor' : 'cat' }));
  const toCoco = () => ({
    images: [],
    categories,
    annotations: [{ id: 1, image_id: 0, category_id: 3, bbox: [0, 0, 1, 1] as const, area: 1, iscrowd: 0 as const }],
  });
  return { name: 'part', categories, annotations, dropped: {}, toCoco };
};

test('every batch has its share of old images, every new image comes once', () => {
  const old = { from: 20, share: 0.25 }; // 20 new, 5 old
  const rows = mixedRows(part(25), old, { batch: 8, seed: 1, epoch: 0 });
  expect(rows).toHaveLength(mixedLength(8, old));
  expect(rows).toHaveLength(24); // 20 new / 6 a batch → 3 batches
  for (let i = 0; i < 3; i++) {
    const batch = rows.slice(i * 8, i * 8 + 8);
    expect(batch.filter((row) => row >= 20)).toHaveLength(2);
  }
  const fresh = rows.filter((row) => row < 20);
  expect(new Set(fresh).size).toBe(fresh.length);
  const known = rows.filter((row) => row >= 20);
  expect(new Set(known.slice(0, 5))).toEqual(new Set([20, 21, 22, 23, 24])); // every old image comes once before one comes again
});

test('seed and epoch alone decide', () => {
  const rows = (seed: number, epoch: number) =>
    mixedRows(part(25), { from: 20, share: 0.5 }, { batch: 4, seed, epoch });
  expect(rows(1, 2)).toEqual(rows(1, 2));
  expect(rows(1, 2)).not.toEqual(rows(1, 3));
  expect(rows(1, 2)).not.toEqual(rows(2, 2));
});

test('a share that rounds to nothing is one image, one that rounds to all leaves one', () => {
  expect(mixedLength(8, { from: 14, share: 0.01 })).toBe(16);
  expect(mixedLength(8, { from: 14, share: 0.99 })).toBe(14 * 8);
});

test('classes are found among others by name, however that is spelt', () => {
  const among = relabel(part(2), numberCategories(['dog', 'cat', 'tv']));
  expect(among.annotations.map(({ classes }) => classes)).toEqual([[2], [1]]);
  expect(among.toCoco()).toMatchObject({
    categories: [{ id: 1 }, { id: 2, name: 'cat' }, { id: 3 }],
    annotations: [{ category_id: 2 }],
  });
  expect(() => relabel(part(2), numberCategories(['dog']))).toThrow(expect.objectContaining({ code: 'E_INTERNAL' }));
});
