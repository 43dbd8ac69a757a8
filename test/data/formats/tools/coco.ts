import { NAMES } from '../smallSet.js';
import { idOf, imagesOf, json, placePictures, tool, cocoJson, vocXml, type Tool } from './shared.js';

export const cocoTools: Readonly<Record<string, Tool>> = {
  'Roboflow COCO': tool('coco', async (place, images) => {
    const folder = (part: string): string => (part === 'val' ? 'valid' : part);
    await placePictures(place, images, ({ part, stem }) => `${folder(part)}/${stem}.jpg`);
    for (const part of ['train', 'val'])
      place(
        `${folder(part)}/_annotations.coco.json`,
        cocoJson(imagesOf(images, part), {
          first: 0,
          extra: [{ id: 0, name: 'cells', supercategory: 'none' }],
          fileName: ({ stem }) => `${stem}.jpg`,
        }),
      );
  }),
  'CVAT COCO': tool('coco', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `images/${part}/${stem}.jpg`);
    for (const part of ['train', 'val'])
      place(
        `annotations/instances_${part}.json`,
        cocoJson(imagesOf(images, part), { first: 1, fileName: ({ stem }) => `${stem}.jpg` }),
      );
  }),
  'Label Studio COCO': tool(
    'coco',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `images/0d5b7a9c-${stem}.jpg`);
      const all = json({
        images: images.map(({ width, height, stem }, id) => ({
          width,
          height,
          id,
          file_name: `images/0d5b7a9c-${stem}.jpg`,
        })),
        categories: NAMES.map((name, id) => ({ id, name })),
        annotations: images
          .flatMap(({ boxes }, image) =>
            boxes.map(({ name, box }) => ({
              image_id: image,
              category_id: idOf(name),
              segmentation: [],
              bbox: box,
              ignore: 0,
              iscrowd: 0,
              area: box[2] * box[3],
            })),
          )
          .map((one, id) => ({ id, ...one })),
        info: { year: 2024, version: '1.0', description: '', contributor: 'Label Studio', url: '', date_created: '' },
      });
      place('result.json', all);
    },
    ['train'],
  ),
  'Pascal VOC': tool('voc', async (place, images) => {
    await placePictures(place, images, ({ stem }) => `JPEGImages/${stem}.jpg`);
    for (const image of images) place(`Annotations/${image.stem}.xml`, vocXml(image, `${image.stem}.jpg`));
    for (const part of ['train', 'val'])
      place(
        `ImageSets/Main/${part}.txt`,
        imagesOf(images, part)
          .map(({ stem }) => `${stem}\n`)
          .join(''),
      );
  }),
  'Roboflow VOC': tool('voc', async (place, images) => {
    const folder = (part: string): string => (part === 'val' ? 'valid' : part);
    await placePictures(place, images, ({ part, stem }) => `${folder(part)}/${stem}.jpg`);
    for (const image of images) place(`${folder(image.part)}/${image.stem}.xml`, vocXml(image, `${image.stem}.jpg`));
  }),
  'LabelImg VOC': tool(
    'voc',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `images/${stem}.jpg`);
      for (const image of images) place(`annotations/${image.stem}.xml`, vocXml(image, `${image.stem}.jpg`));
    },
    ['train'],
  ),
  Datumaro: tool('datumaro', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `images/${part}/${stem}.jpg`);
    for (const part of ['train', 'val'])
      place(
        `annotations/${part}.json`,
        json({
          info: {},
          categories: {
            label: { labels: NAMES.map((name) => ({ name, parent: '', attributes: [] })), attributes: [] },
          },
          items: imagesOf(images, part).map(({ stem, width, height, boxes }) => ({
            id: stem,
            annotations: boxes.map(({ name, box }, id) => ({
              id,
              type: 'bbox',
              attributes: { occluded: false },
              group: 0,
              label_id: idOf(name),
              z_order: 0,
              bbox: box,
            })),
            attr: {},
            image: { path: `${stem}.jpg`, size: [height, width] },
          })),
        }),
      );
  }),
};
