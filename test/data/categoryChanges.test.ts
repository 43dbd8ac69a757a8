import { expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { openDatasets, type DataOptions } from '../../src/data/dataset.js';
import { temporaryFolder } from './temporaryFolder.js';

const root = temporaryFolder();

async function open(categories: object): Promise<Awaited<ReturnType<typeof openDatasets>>> {
  const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  writeFileSync(join(root, 'a.jpg'), picture);
  writeFileSync(join(root, 'b.jpg'), picture);
  const rows = 'filename,class,xmin,ymin,xmax,ymax\n';
  writeFileSync(join(root, 'train.csv'), `${rows}a.jpg,car,1,1,9,9\na.jpg,van,2,2,9,9\na.jpg,dog,3,3,9,9\n`);
  writeFileSync(join(root, 'val.csv'), `${rows}b.jpg,van,1,1,9,9\nb.jpg,other,2,2,9,9\n`);
  const data = { format: 'box-csv', root, train: 'train.csv', val: 'val.csv', categories };
  return openDatasets(data as unknown as DataOptions);
}

test('categories are renamed, joined and left out in every part', async () => {
  const { train, val, categories } = await open({ map: { car: 'vehicle', van: 'vehicle' }, drop: ['other'] });
  expect(categories.map(({ name }) => name)).toEqual(['dog', 'vehicle']);
  expect(train.annotations[0]!.classes).toEqual([1, 1, 0]);
  expect(val.annotations[0]!.classes).toEqual([1]);
  expect(val.dropped).toMatchObject({ 'object of a category that data.categories.drop names': 1 });
});

test('a name that no part has is an error', async () => {
  await expect(open({ drop: ['othr'] })).rejects.toThrow('there is no category "othr" to change');
  await expect(open({ map: { othr: 'x' } })).rejects.toMatchObject({ code: 'E_DATA_CATEGORY' });
});
