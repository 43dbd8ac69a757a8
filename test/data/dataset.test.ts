import { describe, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BoxAugment } from '../../src/data/pipeline/augment/augment.js';
import { openDatasets, type DataOptions } from '../../src/data/dataset.js';
import type { Size, SizeRange } from '../../src/data/pipeline/buckets.js';
import type { LoadOptions } from '../../src/data/pipeline/loader.js';
import type { Recipe } from '../../src/recipe/schema.js';
import { testOnShared } from './sharedData.js';
import { temporaryFolder } from './temporaryFolder.js';

const dir = temporaryFolder();

/** A COCO folder whose validation file numbers its categories in another way. */
function cocoFolder(name: string, valCategories: readonly { id: number; name: string }[]) {
  const root = join(dir, name);
  mkdirSync(join(root, 'images'), { recursive: true });
  writeFileSync(join(root, 'images', 'a.jpg'), '');
  const images = [{ id: 1, file_name: 'a.jpg', width: 10, height: 10 }];
  const part = (file: string, categories: readonly { id: number; name: string }[], category_id: number) =>
    writeFileSync(
      join(root, file),
      JSON.stringify({ images, categories, annotations: [{ id: 1, image_id: 1, category_id, bbox: [1, 1, 5, 5] }] }),
    );
  part(
    'train.json',
    [
      { id: 2, name: 'dog' },
      { id: 5, name: 'cat' },
    ],
    5,
  );
  part('val.json', valCategories, valCategories[0]!.id);
  return {
    format: 'coco',
    root,
    train: { annotations: 'train.json', images: 'images' },
    val: { annotations: 'val.json', images: 'images' },
  } as const;
}

/** data/ does not import recipe/. This lets the compiler check that the `data` of a recipe fits all the same. */
type Fits<A extends B, B> = A;
export type RecipeFits = [
  Fits<Recipe['data'], DataOptions>,
  Fits<Extract<Recipe, { task: 'detection' }>['data']['augment'], BoxAugment | false>,
  Fits<Pick<Recipe['data'], 'augment' | 'prefetch' | 'brokenImages'>, Omit<LoadOptions, 'batch' | 'size'>>,
  Fits<Recipe['data']['size'], Size | SizeRange>,
];

test.each(['voc', 'coco', 'imageFolder', 'csv', 'icdar', 'synthtext'])(
  '%s: a root that is not there is an error of that option',
  async (format) => {
    const root = join(dir, 'nowhere');
    const part = { images: 'images', annotations: 'a.json', truth: 'truth' };
    const data = { format, root, train: part, val: part, splitSeed: 1 } as unknown as DataOptions;
    const problems = [{ option: 'data.root', message: `there is no folder "${root}"` }];
    await expect(openDatasets(data)).rejects.toMatchObject({ code: 'E_FOLDER_ROOT', problems });
    await expect(openDatasets(data, { option: 'addClasses.replay' })).rejects.toMatchObject({
      problems: [{ option: 'addClasses.replay.root' }],
    });
  },
);

describe('openDatasets', () => {
  test('gives both parts the same classes by name, each with the ids of its own file', async () => {
    const { train, val, categories } = await openDatasets(
      cocoFolder('two', [
        { id: 1, name: 'cat' },
        { id: 9, name: 'dog' },
      ]),
    );
    expect(categories.map(({ name }) => name)).toEqual(['dog', 'cat']);
    expect(val.categories).toEqual([
      { id: 9, name: 'dog' },
      { id: 1, name: 'cat' },
    ]);
    expect([train.annotations[0]!.classes, val.annotations[0]!.classes]).toEqual([[1], [1]]);
    expect(val.toCoco().annotations[0]!.category_id).toBe(1);
  });

  test('a part may lack categories of the training part, but not have others in their place', async () => {
    const { val } = await openDatasets(cocoFolder('lacking', [{ id: 1, name: 'cat' }]));
    expect(val.categories).toEqual([
      { id: 2, name: 'dog' },
      { id: 1, name: 'cat' },
    ]);
    const taken = await openDatasets(cocoFolder('taken', [{ id: 2, name: 'cat' }]));
    expect(taken.val.categories.map(({ id }) => id)).toEqual([3, 2]);
    await expect(openDatasets(cocoFolder('strange', [{ id: 1, name: 'Cat' }]))).rejects.toMatchObject({
      code: 'E_DATA_CATEGORY',
    });
  });

  test('says what is wrong with all parts at once', async () => {
    const data = cocoFolder('broken', [{ id: 1, name: 'cat' }]);
    writeFileSync(join(data.root, 'train.json'), '{');
    writeFileSync(join(data.root, 'val.json'), '{"images": []}');
    await expect(openDatasets(data)).rejects.toMatchObject({
      problems: [{ code: 'E_COCO_JSON' }, { code: 'E_COCO_LAYOUT' }],
    });
  });

  test('opens the synthetic set, of some categories if so asked', async () => {
    const data = {
      format: 'synthetic',
      root: join(dir, 'synthetic'),
      seed: 1,
      train: { images: 4 },
      val: { images: 2 },
    } as const;
    expect((await openDatasets(data)).categories).toHaveLength(6);
    const { train, val } = await openDatasets({ ...data, categories: ['mug', 'fish'] });
    expect([train, val].map(({ categories }) => categories.map(({ name }) => name))).toEqual([
      ['mug', 'fish'],
      ['mug', 'fish'],
    ]);
  });

  testOnShared("opens a VOC folder with the recipe's defaults", 'raccoon_voc', async (root) => {
    const { train, val, categories } = await openDatasets({
      format: 'voc',
      root,
      train: 'trainval',
      val: 'test',
      invalidBoxes: 'error',
      brokenImages: 'error',
      categories: undefined,
    });
    expect([train.annotations.length, val.annotations.length, categories.length]).toEqual([160, 40, 1]);
  });
});
