import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import sharp from 'sharp';
import { temporaryFolder } from '../temporaryFolder.js';
import { openTraining } from './openTraining.js';
import { placeIn } from './smallSet.js';

const root = temporaryFolder();
const jpeg = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#a52' } })
  .jpeg()
  .toBuffer();

function folderOf(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [path, content] of Object.entries(files)) placeIn(join(root, name))(path, content);
  return join(root, name);
}

describe('labels that are lost in a file are an error, or counted', () => {
  const coordinates = { x: 8, y: 10, width: 10, height: 12 };
  const about = { 'class-map': { 0: 'cat' }, type: 'groundtruth/object-detection' };
  const job = { annotations: [{ class_id: 1, left: 3, top: 4, width: 10, height: 12 }], image_size: [] };
  const box = '<bndbox><xmin>4</xmin><ymin>5</ymin><xmax>13</xmax><ymax>16</ymax></bndbox>';
  const objectOf = (tag: string): string => `<${tag}><name>cat</name>${box}</${tag}>`;
  test.each<[string, string, string, string]>([
    ['a number that the class map lacks', 'a.manifest', JSON.stringify({ 'source-ref': 's3://b/a.jpg', job, 'job-metadata': about }), 'E_LABEL_ROW'],
    ['objects under another key', 'metadata.jsonl', '{"file_name":"a.jpg","objects":{"boxs":[[3,4,10,12]],"category":["cat"]}}', 'E_LABEL_ROW'],
    ['an object of another name', 'a.xml', `<annotation><filename>a.jpg</filename>${objectOf('object')}${objectOf('objekt')}</annotation>`, 'E_VOC_OBJECT'],
    ['an image of another name', 'annotations.xml', '<annotations><version>1.1</version><image name="a.jpg" width="64" height="48"><box label="cat" xtl="3" ytl="4" xbr="9" ybr="9"/></image><imagen name="b.jpg"/></annotations>', 'E_LABEL_ROW'],
    ['a list with an entry that is none', 'x.json', JSON.stringify([{ image: 'a.jpg', annotations: [{ label: 'cat', coordinates }, 7] }]), 'E_LABEL_ROW'],
  ])('%s', async (name, file, text, code) => {
    const folder = folderOf(`lost ${name}`, { 'a.jpg': jpeg, [file]: text });
    await expect(openTraining(folder)).rejects.toMatchObject({ code });
  }); // prettier-ignore

  test('an image without its list is counted', async () => {
    const list = [{ image: 'a.jpg', annotations: [{ label: 'cat', coordinates }] }, { image: 'b.jpg' }];
    const folder = folderOf('lost list', { 'a.jpg': jpeg, 'b.jpg': jpeg, 'x.json': JSON.stringify(list) });
    expect((await openTraining(folder)).dropped).toEqual({ 'image without "annotations", which has no objects': 1 });
  });

  test('lines may end as on old Macs', async () => {
    const texts = { 'labels/a.txt': '1 0.5 0.5 0.2 0.25\r', 'data.yaml': 'train: images\rnames:\r- cat\r- dog\r' };
    const folder = folderOf('old Mac', { 'images/a.jpg': jpeg, ...texts });
    expect((await openTraining(folder)).objects).toEqual(['dog 26 18 38 30']);
  });
});
