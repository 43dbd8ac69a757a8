import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import sharp from 'sharp';
import type { Annotation, CategoryId, ClassIndex, Dataset } from '../../src/data/sample.js';
import { FinetuneError } from '../../src/errors.js';
import { xyxy } from '../../src/geometry/box.js';
import { lookAt } from '../../src/labelling/lookAt.js';
import { suspectObjects } from '../../src/labelling/objects.js';
import { suspectPage } from '../../src/labelling/suspectPage.js';
import type { OpenedModel } from '../../src/predict/openModel.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'look-at-'));
  const grey = sharp({ create: { width: 64, height: 48, channels: 3, background: '#808080' } });
  for (const name of ['one', 'two'])
    await grey
      .clone()
      .jpeg()
      .toFile(join(folder, `${name}.jpg`));
});
afterAll(() => rm(folder, { recursive: true }));

const categories = ['Dining table', 'cat', 'yeti'].map((name, i) => ({ id: (i + 1) as CategoryId, name }));

const boxes = (name: string, ...objects: [classIndex: number, box: number[]][]): Annotation => ({
  ...{ kind: 'boxes', imageId: name, file: join(folder, `${name}.jpg`), width: 64, height: 48 },
  boxes: xyxy(objects.flatMap(([, box]) => box)),
  classes: objects.map(([index]) => index as ClassIndex),
  ignore: objects.map(() => false),
});

const dataset = (...annotations: Annotation[]): Dataset => ({
  ...{ name: 'toys', categories, annotations, dropped: {} },
  toCoco: () => ({ images: [], categories: [], annotations: [] }),
});

/** A model that says the same of every image that it can read. */
function fakeModel(task: OpenedModel['task'], names: readonly string[], predictions: readonly object[]): OpenedModel {
  const fake = {
    task,
    description: { categories: names.map((name, id) => ({ id, name })) },
    async *predictAll(files: Iterable<string | object> | AsyncIterable<string | object>) {
      for await (const file of files)
        yield typeof file === 'string' && file.endsWith('gone.jpg')
          ? { error: new FinetuneError({ code: 'E_IMAGE_MISSING', message: 'gone' }) }
          : { width: 64, height: 48, predictions };
    },
  };
  return fake as unknown as OpenedModel;
}

const table = { category: 'dining_table', categoryId: 0, score: 0.9, box: [10, 10, 30, 30] };
const boat = { ...table, category: 'boat', box: [40, 0, 20, 20] };

test('each image is looked at once, by the names of the data; what the model does not know is not judged', async () => {
  const train = dataset(boxes('one', [0, [10, 10, 40, 40]], [2, [0, 0, 9, 9]]), boxes('gone'));
  const val = dataset(boxes('one'), boxes('two'));
  const model = fakeModel('detection', ['boat', 'dining_table', 'cat'], [table, boat]);
  const looked = await lookAt({ parts: { train, val }, categories }, model);
  expect(looked).toMatchObject({ task: 'detection', unreadable: 1 });
  const [one, two] = looked.images as [object, object];
  expect(one).toMatchObject({
    ...{ part: 'train', imageId: 'one' },
    truth: [
      { label: 'Dining table', ignore: false, box: [10, 10, 40, 40] },
      { label: 'yeti', ignore: true },
    ],
    found: [{ label: 'Dining table', score: 0.9, box: [10, 10, 40, 40] }],
  });
  expect(two).toMatchObject({ part: 'val', imageId: 'two' });

  if (looked.task !== 'detection') throw new Error('not reached');
  const suspects = suspectObjects(looked.images);
  const options = { title: 'Suspicious labels of toys', names: ['Dining table', 'cat'], confident: 0.3 };
  const page = await suspectPage(suspects, looked, options);
  expect(page).toContain('1 suspicious labels on 1 of 2 images');
  expect(page).toContain('no label at a Dining table (score 0.90)');
  expect(page.match(/data:image\/jpeg/g)).toHaveLength(1);
});

test('a model for another task, or for other classes, is refused', async () => {
  const data = { parts: { train: dataset(boxes('one')) }, categories };
  await expect(lookAt(data, fakeModel('text', ['word'], []))).rejects.toMatchObject({ code: 'E_SUSPECTS' });
  await expect(lookAt(data, fakeModel('classification', ['cat'], []))).rejects.toMatchObject({ code: 'E_SUSPECTS' });
  await expect(lookAt(data, fakeModel('detection', ['boat'], []))).rejects.toMatchObject({ code: 'E_SUSPECTS' });
});
