import { describe, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { openCoco } from '../../src/data/formats/coco.js';
import { FinetuneError } from '../../src/errors.js';
import { testOnShared } from './sharedData.js';
import { temporaryFolder } from './temporaryFolder.js';

const dir = temporaryFolder();
mkdirSync(join(dir, 'images', 'inner'), { recursive: true });
for (const name of ['a.jpg', 'b.jpg', 'inner/c.jpg']) writeFileSync(join(dir, 'images', name), '');

const sound = {
  images: [
    { id: 7, file_name: 'a.jpg', width: 100, height: 80 },
    { id: 9, file_name: 'b.jpg', width: 50, height: 50 },
    { id: 11, file_name: 'inner/c.jpg', width: 60, height: 40 },
  ],
  categories: [
    { id: 18, name: 'dog' },
    { id: 3, name: 'cat' },
  ],
  annotations: [
    { id: 1, image_id: 7, category_id: 3, bbox: [10.5, 20, 30, 40.25], area: 900, iscrowd: 0 },
    { id: 2, image_id: 7, category_id: 18, bbox: [90, 70, 20, 20], area: 400, iscrowd: 1 },
    { id: 5, image_id: 11, category_id: 18, bbox: [0, 0, 60, 40] },
  ],
};
let files = 0;
function open(json: unknown, options: Partial<Parameters<typeof openCoco>[0]> = {}) {
  const annotations = join(dir, `${files++}.json`);
  writeFileSync(annotations, typeof json === 'string' ? json : JSON.stringify(json));
  return openCoco({ annotations, images: join(dir, 'images'), name: 'test', ...options });
}
async function problemsOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(FinetuneError);
  return (error as FinetuneError).problems;
}

describe('openCoco', () => {
  test('reads boxes as clipped corners, crowds as ignored, empty images as images', async () => {
    const { annotations, categories, dropped } = await open(sound);
    expect(categories).toEqual(sound.categories);
    expect(annotations.map(({ imageId, classes }) => [imageId, classes])).toEqual([
      [7, [1, 0]],
      [9, []],
      [11, [0]],
    ]);
    expect(Array.from(annotations[0]!.boxes)).toEqual([10.5, 20, 40.5, 60.25, 90, 70, 100, 80]);
    expect(annotations[0]).toMatchObject({
      width: 100,
      height: 80,
      ignore: [false, true],
      file: join(dir, 'images', 'a.jpg'),
    });
    expect(dropped).toEqual({ 'box clipped to the image': 1 });
  });

  test("gives back the file's own ids and unclipped boxes", async () => {
    const truth = (await open(sound)).toCoco();
    expect(truth.images).toEqual(sound.images);
    expect(truth.annotations).toEqual([
      ...sound.annotations.slice(0, 2),
      { ...sound.annotations[2], area: 2400, iscrowd: 0 },
    ]);
  });

  test('learns the categories that are asked for, in that order, and counts what it leaves out', async () => {
    const { categories, annotations, dropped, toCoco } = await open(sound, { categories: ['cat'] });
    expect(categories).toEqual([{ id: 3, name: 'cat' }]);
    expect(annotations.map(({ classes }) => classes)).toEqual([[0], [], []]);
    expect(dropped).toEqual({ 'object of a category that is not learned': 2 });
    expect(toCoco().annotations.map(({ id }) => id)).toEqual([1]);
    expect((await open(sound, { categories: ['cat', 'dog'] })).annotations[0]!.classes).toEqual([0, 1]);
    await expect(open(sound, { categories: ['cta'] })).rejects.toMatchObject({
      code: 'E_DATA_CATEGORY',
      message: expect.stringContaining('dog, cat') as unknown,
    });
  });

  test('numbers annotations without an id, and takes a size that the file lacks from the image', async () => {
    writeFileSync(
      join(dir, 'images', 'real.PNG'),
      await sharp({ create: { width: 9, height: 7, channels: 3, background: '#123' } })
        .png()
        .toBuffer(),
    );
    const { annotations, dropped, toCoco } = await open({
      ...sound,
      images: [...sound.images, { id: 12, file_name: 'real.PNG' }],
      annotations: [{ image_id: 12, category_id: 3, bbox: [1, 1, 5, 5] }, ...sound.annotations],
    });
    expect(annotations.at(-1)).toMatchObject({ imageId: 12, width: 9, height: 7, classes: [1] });
    expect(dropped).toMatchObject({ "size missing, taken from the image's header": 1 });
    expect(toCoco().annotations.map(({ id }) => id)).toEqual([1, 2, 5, 6]);
  });

  test('takes ids beyond 2^53, ids and marks written as text, and sizes of 0', async () => {
    const { annotations, categories } = await open(
      JSON.stringify(sound)
        .replaceAll('_id":7', '_id":9007199254740993')
        .replaceAll('"id":7', '"id":9007199254740993')
        .replaceAll('"id":9,', '"id":9007199254740992,')
        .replaceAll('"id":5', '"id":12345678901234567890')
        .replaceAll('"category_id":3', '"category_id":"3"')
        .replace('"iscrowd":0', '"iscrowd":"1"'),
    );
    expect(annotations.map(({ imageId }) => imageId)).toEqual(['9007199254740993', '9007199254740992', 11]);
    expect([categories, annotations[0]!.ignore]).toEqual([sound.categories, [true, true]]);
    const problems = await problemsOf(
      open({
        ...sound,
        categories: [sound.categories[0], { id: '9007199254740993', name: 'cat' }],
        annotations: [{ ...sound.annotations[1], iscrowd: 'maybe' }],
      }),
    );
    expect(problems.map(({ message }) => message)).toEqual(['annotations[0] (id 2): "iscrowd" must be 0 or 1']);
  });

  test('one mistake in an image or a category is one problem, not one for each of its annotations', async () => {
    const problems = await problemsOf(
      open({
        ...sound,
        images: [{ ...sound.images[0], width: 'wide' }, ...sound.images.slice(1)],
        categories: [{ ...sound.categories[0], id: 1.5 }, sound.categories[1]],
        annotations: sound.annotations.map((row, i) => (i === 2 ? { ...row, category_id: 1.5 } : row)),
      }),
    );
    expect(problems.map(({ code }) => code)).toEqual(['E_COCO_CATEGORY', 'E_COCO_IMAGE']);
    const mixed = JSON.stringify(sound)
      .replaceAll('"image_id":7', '"image_id":"7"')
      .replaceAll('"width":100', '"width":"100"');
    expect((await open(mixed)).annotations).toEqual((await open(sound)).annotations);
  });

  test('boxes that leave their image because its size is wrong are not blamed', async () => {
    const file_name = 'large.png';
    const large = sharp({ create: { width: 200, height: 160, channels: 3, background: '#123' } });
    await large.png().toFile(join(dir, 'images', file_name));
    const images = [{ ...sound.images[0], file_name }];
    const annotations = [{ ...sound.annotations[0], bbox: [150, 100, 30, 40] }];
    const [problem, ...others] = await problemsOf(open({ ...sound, images, annotations }));
    expect(problem).toMatchObject({
      code: 'E_IMAGE_SIZE',
      fix: expect.stringContaining('2 times the size') as unknown,
    });
    expect(others).toEqual([]);
  });

  test('says everything that is wrong at once, each with its place in the file', async () => {
    const bad = {
      images: [
        ...sound.images,
        { id: 7, file_name: 'd.jpg', width: 1, height: 1 },
        { id: 12, file_name: 'e.jpg', width: -1, height: 1 },
      ],
      categories: [...sound.categories, { id: 3, name: 'cow' }, { id: 4, name: 'dog' }],
      annotations: [
        ...sound.annotations,
        { id: 341, image_id: 7, category_id: 3, bbox: [1, 1, 0, 5] },
        { id: 6, image_id: 8, category_id: 3, bbox: [1, 1, 5, 5] },
        { id: 8, image_id: 7, category_id: 99, bbox: [1, 1, 5, 5] },
        { id: 9, image_id: 7, category_id: 3, bbox: [1, 1, 5] },
        { id: 1, image_id: 7, category_id: 3, bbox: [1, 1, 5, 5] },
      ],
    };
    const problems = await problemsOf(open(bad));
    expect(problems.map(({ code, message }) => `${code} ${/^\w+\[\d+\]/.exec(message)?.[0] ?? ''}`)).toEqual([
      'E_COCO_CATEGORY categories[2]',
      'E_COCO_CATEGORY categories[3]',
      'E_COCO_IMAGE images[3]',
      'E_COCO_IMAGE images[4]',
      'E_COCO_BOX annotations[3]',
      'E_COCO_ANNOTATION annotations[4]',
      'E_COCO_ANNOTATION annotations[5]',
      'E_COCO_ANNOTATION annotations[6]',
      'E_COCO_ANNOTATION annotations[7]',
    ]);
    expect(problems[4]!.message).toContain('(id 341)');
  });

  test('stops listing after twenty and says how many more', async () => {
    const annotations = Array.from({ length: 53 }, (_, i) => ({
      id: i,
      image_id: 7,
      category_id: 3,
      bbox: [0, 0, 0, 0],
    }));
    const problems = await problemsOf(open({ ...sound, annotations }));
    expect(problems).toHaveLength(21);
    expect(problems[20]).toMatchObject({ code: 'E_COCO_BOX', message: expect.stringContaining('33 more') as unknown });
  });

  test('drops and counts bad boxes and missing images when told to', async () => {
    const json = {
      ...sound,
      images: [...sound.images, { id: 20, file_name: 'gone.jpg', width: 9, height: 9 }],
      annotations: [
        ...sound.annotations,
        { id: 30, image_id: 7, category_id: 3, bbox: [1, 1, 0, 5] },
        { id: 31, image_id: 7, category_id: 3, bbox: [100, 1, 5, 5] },
        { id: 32, image_id: 20, category_id: 3, bbox: [1, 1, 5, 5] },
      ],
    };
    const { annotations, dropped, toCoco } = await open(json, { invalidBoxes: 'drop', brokenImages: 'drop' });
    expect(annotations).toHaveLength(3);
    expect(dropped).toEqual({
      'box without area': 1,
      'box outside its image': 1,
      'image missing': 1,
      'box clipped to the image': 1,
    });
    expect(toCoco().annotations.map(({ id }) => id)).toEqual([1, 2, 5]);
    expect((await problemsOf(open(json, { invalidBoxes: 'drop' }))).map(({ code }) => code)).toEqual([
      'E_IMAGE_MISSING',
    ]);
    expect((await problemsOf(open(json, { brokenImages: 'drop' }))).map(({ code }) => code)).toEqual(['E_COCO_BOX']);
  });

  test('tells a file that is missing, no JSON, or no COCO', async () => {
    await expect(openCoco({ annotations: join(dir, 'no.json'), images: dir, name: '' })).rejects.toMatchObject({
      code: 'E_COCO_FILE',
    });
    const [problem] = await problemsOf(open('{"images": [],\n  oops}'));
    expect(problem).toMatchObject({ code: 'E_COCO_JSON', where: { line: 2, column: 3 } });
    const [layout] = await problemsOf(open({ images: [], annotations: {} }));
    expect(layout).toMatchObject({
      code: 'E_COCO_LAYOUT',
      message: expect.stringContaining('"annotations", "categories"') as unknown,
    });
  });

  testOnShared('reads the COCO subset: its counts, official ids, no surprises', 'coco_subset', async (root) => {
    for (const [part, images, objects, crowds] of [
      ['train2017', 100, 935, 8],
      ['val2017', 78, 799, 11],
    ] as const) {
      const dataset = await openCoco({
        annotations: join(root, `annotations/instances_${part}.json`),
        images: join(root, 'images', part),
        name: part,
      });
      expect(dataset.annotations).toHaveLength(images);
      expect(dataset.annotations.flatMap(({ classes }) => classes)).toHaveLength(objects);
      expect(dataset.annotations.flatMap(({ ignore }) => ignore).filter(Boolean)).toHaveLength(crowds);
      expect(dataset.categories).toHaveLength(80);
      expect(dataset.categories.at(-1)).toEqual({ id: 90, name: 'toothbrush' });
      expect(dataset.dropped).toEqual({});
    }
  });
});
