import { NAMES } from '../smallSet.js';
import { idOf, imagesOf, json, placePictures, tool, yoloText, corners, type Tool } from './shared.js';

export const yoloTools: Readonly<Record<string, Tool>> = {
  'Ultralytics YOLO': tool('yolo', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `images/${part}/${stem}.jpg`);
    for (const image of images)
      if (image.boxes.length > 0) place(`labels/${image.part}/${image.stem}.txt`, yoloText(image));
    const names = NAMES.map((name, i) => `  ${i}: ${name}\n`).join('');
    place(
      'data.yaml',
      `path: ../datasets/blood  # dataset root dir\ntrain: images/train\nval: images/val\ntest:\n\nnames:\n${names}`,
    );
  }),
  'Roboflow YOLO': tool('yolo', async (place, images) => {
    const folder = (part: string): string => (part === 'val' ? 'valid' : part);
    await placePictures(place, images, ({ part, stem }) => `${folder(part)}/images/${stem}_jpg.rf.0a1b2c3d.jpg`);
    for (const image of images)
      place(`${folder(image.part)}/labels/${image.stem}_jpg.rf.0a1b2c3d.txt`, yoloText(image).trimEnd());
    place(
      'data.yaml',
      `train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 3\nnames: ['${NAMES.join("', '")}']\n`,
    );
    place('README.roboflow.txt', 'blood > v1\n');
  }),
  Darknet: tool('yolo', async (place, images) => {
    await placePictures(place, images, ({ stem }) => `data/obj/${stem}.jpg`);
    for (const image of images) place(`data/obj/${image.stem}.txt`, yoloText(image));
    place('data/obj.names', NAMES.map((name) => `${name}\n`).join(''));
    place(
      'data/obj.data',
      'classes = 3\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\nbackup = backup/\n',
    );
    const list = (part: string): string =>
      imagesOf(images, part)
        .map(({ stem }) => `data/obj/${stem}.jpg\n`)
        .join('');
    place('data/train.txt', list('train'));
    place('data/valid.txt', list('val'));
  }),
  'LabelImg YOLO': tool(
    'yolo',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `${stem}.jpg`);
      for (const image of images) place(`${image.stem}.txt`, yoloText(image).replaceAll('\n', '\r\n'));
      place('classes.txt', NAMES.map((name) => `${name}\r\n`).join(''));
    },
    ['train'],
  ),
  'YOLO polygons': tool('yolo', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `${part}/images/${stem}.jpg`);
    for (const image of images) {
      const lines = image.boxes.map((box) =>
        [idOf(box.name), ...corners(box).flatMap(([x, y]) => [x! / image.width, y! / image.height])].join(' '),
      );
      place(`${image.part}/labels/${image.stem}.txt`, lines.join('\n'));
    }
    place('data.yaml', `train: train/images\nval: val/images\nnames: [${NAMES.join(', ')}]\n`);
  }),
  'CVAT YOLO': tool(
    'yolo',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `obj_train_data/${stem}.jpg`);
      for (const image of images) place(`obj_train_data/${image.stem}.txt`, yoloText(image));
      place('obj.names', NAMES.map((name) => `${name}\n`).join(''));
      place('obj.data', 'classes = 3\nnames = data/obj.names\nbackup = backup/\ntrain = data/train.txt\n');
      place('train.txt', images.map(({ stem }) => `data/obj_train_data/${stem}.jpg\n`).join(''));
    },
    ['train'],
  ),
  'CVAT Ultralytics YOLO': tool('yolo', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `images/${part}/${stem}.jpg`);
    for (const image of images) place(`labels/${image.part}/${image.stem}.txt`, yoloText(image));
    const names = NAMES.map((name, i) => `  ${i}: ${name}\n`).join('');
    place('data.yaml', `names:\n${names}path: .\ntrain: train.txt\nval: val.txt\n`);
    for (const part of ['train', 'val'])
      place(
        `${part}.txt`,
        imagesOf(images, part)
          .map(({ stem }) => `data/images/${part}/${stem}.jpg\n`)
          .join(''),
      );
  }),
  'Label Studio YOLO': tool(
    'yolo',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `images/0d5b7a9c-${stem}.jpg`);
      for (const image of images) place(`labels/0d5b7a9c-${image.stem}.txt`, yoloText(image).trimEnd());
      place('classes.txt', NAMES.join('\n'));
      place('notes.json', json({ categories: NAMES.map((name, id) => ({ id, name })), info: { year: 2024 } }));
    },
    ['train'],
  ),
};
