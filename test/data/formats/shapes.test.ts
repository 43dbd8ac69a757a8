import { describe, expect, test } from '@jest/globals';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { recognise } from '../../../src/init/recognise.js';
import { folderOf } from './oddFolder.js';
import { openTraining } from './openTraining.js';

describe('layouts of programs that draw more than boxes', () => {
  test('CVAT: a rotated box, an ellipse, a mask and points', async () => {
    const xml = (shapes: string): string =>
      `<annotations><version>1.1</version><image id="0" name="a.jpg" width="64" height="48">${shapes}</image></annotations>`;
    const shapes =
      '<box label="car" xtl="10" ytl="20" xbr="30" ybr="24" rotation="90.0"/><ellipse label="car" cx="20" cy="20" rx="8" ry="4"/>' +
      '<mask label="dog" rle="1, 2" left="3" top="4" width="10" height="6"/><points label="dog" points="1,2"/><tag label="day"/>';
    const folder = await folderOf('cvat', { 'images/a.jpg': '', 'annotations.xml': xml(shapes) });
    expect(await openTraining(folder)).toEqual({
      format: 'cvat',
      objects: ['car 18 12 22 32', 'car 12 16 28 24', 'dog 3 4 13 10'],
      dropped: {
        'rotated box read as the box around it': 1,
        'ellipse read as the box around it': 1,
        'mask read as the box around it': 1,
        'shape without area (points), left out': 1,
      },
    });
  });

  test('CVAT for video: boxes of tracks go to the images of their frames, and move evenly between key frames', async () => {
    const box = (frame: number, x: number, more = '') =>
      `<box frame="${frame}" xtl="${x}" ytl="1" xbr="${x + 10}" ybr="9" ${more}/>`;
    const video = (...shapes: string[]) =>
      `<annotations><meta><task><size>4</size></task></meta><track id="0" label="car">${shapes.join('')}</track></annotations>`;
    const tracks = video(box(4, 20), box(0, 0), box(6, 30, 'outside="1"'));
    const frames = Object.fromEntries([0, 2, 4, 6].map((n) => [`images/frame_00000${n}.jpg`, '']));
    const objects = ['car 0 1 10 9', 'car 10 1 20 9', 'car 20 1 30 9'];
    const numbered = await folderOf('cvat frames', { ...frames, 'annotations.xml': tracks });
    expect(await openTraining(numbered)).toEqual({ format: 'cvat', objects, dropped: {} });

    const ordered = Object.fromEntries([1, 2, 9, 10].map((n) => [`img ${n}.jpg`, '']));
    const inOrder = await folderOf('cvat order', { ...ordered, 'annotations.xml': video(box(3, 5), box(2, 4)) });
    expect((await openTraining(inOrder)).objects).toEqual(['car 4 1 14 9', 'car 5 1 15 9']);
    const late = await folderOf('cvat late', { ...ordered, 'annotations.xml': video(box(7, 5)) });
    await expect(openTraining(late)).rejects.toMatchObject({ code: 'E_LABEL_ROW' });
    const misspelt = tracks
      .replace(/track/g, 'xtrack')
      .replace('</annotations>', '<track id="1" label="car"/></annotations>');
    const odd = await folderOf('cvat odd', { ...frames, 'annotations.xml': misspelt });
    await expect(openTraining(odd)).rejects.toMatchObject({ code: 'E_LABEL_ROW' });
    const unnumbered = await folderOf('cvat unnumbered', {
      ...frames,
      'annotations.xml': video('<box frame="x" xtl="1" ytl="1" xbr="9" ybr="9"/>'),
    });
    await expect(openTraining(unnumbered)).rejects.toMatchObject({ code: 'E_LABEL_ROW' });
    const few = await folderOf('cvat few', { 'a.jpg': '', 'annotations.xml': video(box(0, 5)) });
    await expect(openTraining(few)).rejects.toMatchObject({ code: 'E_LABEL_LAYOUT' });
  });

  test('images of one name in several folders: the labels of the same subfolder tell them apart', async () => {
    const xml = (name: string, x: number): string =>
      `<annotation><filename>${name}</filename><object><name>cat</name><bndbox><xmin>${x}</xmin><ymin>2</ymin><xmax>20</xmax><ymax>20</ymax></bndbox></object></annotation>`;
    const files = { 'Annotations/a/1.xml': xml('1.jpg', 3), 'Annotations/b/1.xml': xml('1.jpg', 9) };
    const nested = await folderOf('voc nested', { 'JPEGImages/a/1.jpg': '', 'JPEGImages/b/1.jpg': '', ...files });
    expect((await openTraining(nested)).objects).toEqual(['cat 2 1 20 20', 'cat 8 1 20 20']);
    const unclear = await folderOf('voc unclear', { 'JPEGImages/c/1.jpg': '', 'JPEGImages/d/1.jpg': '', ...files });
    await expect(openTraining(unclear)).rejects.toMatchObject({ code: 'E_IMAGE_AMBIGUOUS' });
  });

  test.each(['', 'photos/'])(
    'Label Studio: the whole name of an upload comes before the one without its prefix: %s',
    async (at) => {
      const value = { x: 10, y: 10, width: 50, height: 50, rotation: 0, rectanglelabels: ['cat'] };
      const result = [{ type: 'rectanglelabels', original_width: 64, original_height: 48, value }];
      const tasks = [{ id: 1, data: { image: '/data/upload/1/abcdef12-a%20b.jpg' }, annotations: [{ result }] }];
      const files = { [`${at}abcdef12-a b.jpg`]: '', [`${at}a b.jpg`]: '', 'export.json': JSON.stringify(tasks) };
      const folder = await folderOf(`studio ${at === '' ? 'flat' : 'deep'}`, files);
      expect((await openTraining(folder)).objects).toEqual(['cat 6 5 38 29']);
    },
  );

  test('YOLO: a label file whose image is missing is counted, and notes are not', async () => {
    const label = '0 0.5 0.5 0.5 0.5\n';
    const texts = { 'a.txt': label, 'b.txt': label, 'notes.txt': 'ask Eva', 'classes.txt': 'cat\n' };
    const folder = await folderOf('yolo lonely', { 'a.jpg': '', ...texts });
    expect(await openTraining(folder)).toEqual({
      format: 'yolo',
      objects: ['cat 16 12 48 36'],
      dropped: { 'label file without an image, left out': 1 },
    });
  });

  test.each([
    ['a.jpg,0.5,0.5,0.25,0.5,nut\na.jpg,0.25,0.25,0.25,0.5,nut\n', ['nut 32 24 48 48', 'nut 16 12 32 36']],
    ['a.jpg;nut;0,9;0,9;0,2;0,2\r\na.jpg;nut;0,5;0,5;0,5;0,5\r\n', ['nut 51 38 64 48', 'nut 16 12 48 36']],
  ])(
    'a table of shares without a head: x, y, width and height, or the middle where boxes would reach beyond: %j',
    async (text, objects) => {
      const folder = await folderOf(`shares ${text.length}`, { 'a.jpg': '', 'labels.csv': text });
      expect((await openTraining(folder)).objects).toEqual(objects);
    },
  );

  test.each(['0x10', '', '1e999'])('a corner that is written as %j is no number, in any layout', async (corner) => {
    const xml = `<annotation><object><name>cat</name><bndbox><xmin>${corner}</xmin><ymin>2</ymin><xmax>40</xmax><ymax>20</ymax></bndbox></object></annotation>`;
    const voc = await folderOf(`voc ${corner}`, { 'a.jpg': '', 'a.xml': xml });
    await expect(openTraining(voc)).rejects.toMatchObject({ code: 'E_VOC_OBJECT' });
    const shapes = [{ label: 'cat', shape_type: 'rectangle', points: [[corner, 2], [40, 20]] }]; // prettier-ignore
    const json = JSON.stringify({ version: '5', imagePath: 'a.jpg', imageData: null, shapes });
    const labelme = await folderOf(`labelme ${corner}`, { 'a.jpg': '', 'a.json': json });
    await expect(openTraining(labelme)).rejects.toMatchObject({ code: 'E_LABEL_ROW' });
  });

  test('MOT: a class is a whole number, or -1 for an unknown one', async () => {
    const files = (name: string) => ({ 'seq/img1/000001.jpg': '', 'seq/gt/gt.txt': `1,1,4,6,20,18,1,${name},0.9\n` });
    expect((await openTraining(await folderOf('mot', files('-1')))).objects).toEqual(['pedestrian 4 6 24 24']);
    await expect(openTraining(await folderOf('mot odd', files('2.5')))).rejects.toMatchObject({ code: 'E_LABEL_ROW' });
  });

  test('VIA: an image without a list of regions is an error, not one without objects', async () => {
    const region = { shape_attributes: { name: 'rect', x: 2, y: 3, width: 10, height: 12 }, region_attributes: { type: 'cat' } }; // prettier-ignore
    const entry = (key: string) => ({ filename: `${key}.jpg`, size: 1, file_attributes: {}, [key]: [region] });
    const json = JSON.stringify({ a: entry('regions'), b: entry('region') });
    const files = { 'regions.jpg': '', 'region.jpg': '', 'via.json': json };
    await expect(openTraining(await folderOf('via odd', files))).rejects.toMatchObject({ code: 'E_LABEL_ROW' });
  });

  test('a table whose only other column says where the photos come from has one class', async () => {
    const rows = ['a,64,48,"[8, 8, 16, 16]",farm_1', 'b,64,48,"[8, 8, 16, 16]",farm_2'];
    const text = `image_id,width,height,bbox,source\n${rows.join('\n')}\n`;
    const folder = await folderOf('sources', { 'train/a.jpg': '', 'train/b.jpg': '', 'train.csv': text });
    expect((await openTraining(folder)).objects).toEqual(['object 8 8 24 24', 'object 8 8 24 24']);
  });

  test('Supervisely: a mask is a deflated PNG file', async () => {
    const png = await sharp({ create: { width: 12, height: 7, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const bitmap = { data: deflateSync(png).toString('base64'), origin: [5, 6] };
    const objects = [{ classTitle: 'cat', geometryType: 'bitmap', bitmap }];
    const folder = await folderOf('supervisely', {
      'set/img/a.jpg': '',
      'set/ann/a.jpg.json': JSON.stringify({ tags: [], size: { height: 48, width: 64 }, objects }),
      'meta.json': '{"classes":[],"tags":[]}',
    });
    expect(await openTraining(folder)).toMatchObject({ format: 'supervisely', objects: ['cat 5 6 17 13'] });
  });

  test('WIDER FACE: an image without faces, and an invalid face', async () => {
    const text =
      'crowd/a.jpg\n2\n3 4 10 12 0 0 0 0 0 0 \n30 4 10 12 2 0 0 1 0 0 \ncrowd/b.jpg\n0\n0 0 0 0 0 0 0 0 0 0 \n';
    const folder = await folderOf('wider', {
      ...{ 'WIDER_train/images/crowd/a.jpg': '', 'WIDER_train/images/crowd/b.jpg': '' },
      'wider_face_split/wider_face_train_bbx_gt.txt': text,
    });
    expect(await openTraining(folder)).toMatchObject({
      format: 'widerface',
      objects: ['face 3 4 13 16', 'face 30 4 40 16 ignored'],
    });
  });

  test('KITTI: what nobody looked at is left out', async () => {
    const text =
      'Car 0.00 0 -1.58 3.5 4 13 16 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\nDontCare -1 -1 -10 30 4 40 16 -1 -1 -1 -1000 -1000 -1000 -10\n';
    const folder = await folderOf('kitti', { 'image_2/000001.jpg': '', 'label_2/000001.txt': text });
    const { format, objects, dropped } = await openTraining(folder);
    expect([format, objects, dropped]).toEqual(['kitti', ['Car 4 4 13 16'], { 'DontCare region, left out': 1 }]);
  });

  test('DOTA and the rotated boxes of Roboflow are no words of text; a difficult object is ignored', async () => {
    const text =
      'imagesource:GoogleEarth\ngsd:0.12\n4 4 14 4 14 16 4 16 large-vehicle 0\n30.5 4 40 8 38 16 28 12 ship 1\n';
    const folder = await folderOf('dota', { 'images/p1.jpg': '', 'labelTxt/p1.txt': text });
    expect(await openTraining(folder)).toMatchObject({
      format: 'dota',
      objects: ['large-vehicle 4 4 14 16', 'ship 28 4 40 16 ignored'],
    });
    expect((await recognise(folder)).chosen.kind).toBe('boxes');
  });

  test('VisDrone is no text either; what it does not score is ignored', async () => {
    const text = '3,4,10,12,1,4,0,0\n30,4,10,12,0,1,0,1\n1,1,5,5,0,0,0,0\n';
    const folder = await folderOf('visdrone', { 'images/a.jpg': '', 'annotations/a.txt': text });
    const { format, objects, dropped } = await openTraining(folder);
    expect([format, objects]).toEqual(['visdrone', ['car 3 4 13 16', 'pedestrian 30 4 40 16 ignored']]);
    expect(dropped).toEqual({ 'ignored region, left out': 1 });
  });

  test('MOT: a sequence has its frames in img1, also those without an object', async () => {
    const folder = await folderOf('mot', {
      ...{ 'train/S1/img1/000001.jpg': '', 'train/S1/img1/000002.jpg': '', 'train/S1/img1/000003.jpg': '' },
      'train/S1/gt/gt.txt': '1,1,3,4,10,12,1,1,1.0\n3,1,5,4,10,12,0,3,0.5\n',
      'train/S1/det/det.txt': '1,-1,3,4,10,12,0.9\n',
    });
    expect(await openTraining(folder)).toMatchObject({
      format: 'mot',
      objects: ['pedestrian 3 4 13 16', 'car 5 4 15 16 ignored'],
    });
    const { train } = (await recognise(folder)).chosen.data;
    const wrong = await folderOf('mot', { 'train/S1/gt/gt.txt': '9,1,3,4,10,12,1,1,1.0\n' });
    expect(train).toBe('train/S1/gt/gt.txt');
    await expect(openTraining(wrong)).rejects.toMatchObject({
      code: 'E_LABEL_ROW',
      problems: [{ where: { line: 1 } }],
    });
  });

  test('BDD100K: lanes have no box', async () => {
    const box2d = { x1: 3, y1: 4, x2: 13, y2: 16 };
    const labels = [
      { category: 'car', box2d },
      { category: 'lane', poly2d: [] },
    ];
    const folder = await folderOf('bdd', {
      'images/a.jpg': '',
      'labels/bdd_train.json': JSON.stringify([{ name: 'a.jpg', labels }]),
    });
    const { format, objects, dropped } = await openTraining(folder);
    expect([format, objects]).toEqual(['bdd100k', ['car 3 4 13 16']]);
    expect(dropped).toMatchObject({ 'label without a box, left out': 1 });
  });

  test('YOLO with key points that data.yaml does not tell of', async () => {
    const folder = await folderOf('pose', {
      ...{ 'images/a.jpg': '', 'data.yaml': 'train: images\nnames: [cat]\n' },
      'labels/a.txt': '0 0.5 0.5 0.25 0.5 0.4 0.5 2 0.6 0.5 1\n',
    });
    expect(await openTraining(folder)).toMatchObject({ format: 'yolo', objects: ['cat 24 12 40 36'] });
  });
});
