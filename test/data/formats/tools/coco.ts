import { NAMES, smallSet } from '../smallSet.js';
import { idOf, imagesOf, json, placePictures, tool, cocoJson, vocXml, type Tool } from './shared.js';

export const cocoTools: Readonly<Record<string, Tool>> = {
  'Roboflow COCO': tool('coco', async (place) => {
    const folder = (part: string): string => (part === 'val' ? 'valid' : part);
    await placePictures(place, ({ part, stem }) => `${folder(part)}/${stem}.jpg`);
    for (const part of ['train', 'val'])
      place(
        `${folder(part)}/_annotations.coco.json`,
        cocoJson(part, {
          first: 0,
          extra: [{ id: 0, name: 'cells', supercategory: 'none' }],
          fileName: ({ stem }) => `${stem}.jpg`,
        }),
      );
  }),
  'CVAT COCO': tool('coco', async (place) => {
    await placePictures(place, ({ part, stem }) => `images/${part}/${stem}.jpg`);
    for (const part of ['train', 'val'])
      place(`annotations/instances_${part}.json`, cocoJson(part, { first: 1, fileName: ({ stem }) => `${stem}.jpg` }));
  }),
  'Label Studio COCO': tool(
    'coco',
    async (place) => {
      await placePictures(place, ({ stem }) => `images/0d5b7a9c-${stem}.jpg`);
      const all = json({
        images: smallSet.map(({ width, height, stem }, id) => ({
          width,
          height,
          id,
          file_name: `images/0d5b7a9c-${stem}.jpg`,
        })),
        categories: NAMES.map((name, id) => ({ id, name })),
        annotations: smallSet
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
  'Pascal VOC': tool('voc', async (place) => {
    await placePictures(place, ({ stem }) => `JPEGImages/${stem}.jpg`);
    for (const image of smallSet) place(`Annotations/${image.stem}.xml`, vocXml(image, `${image.stem}.jpg`));
    for (const part of ['train', 'val'])
      place(
        `ImageSets/Main/${part}.txt`,
        imagesOf(part)
          .map(({ stem }) => `${stem}\n`)
          .join(''),
      );
  }),
  'Roboflow VOC': tool('voc', async (place) => {
    const folder = (part: string): string => (part === 'val' ? 'valid' : part);
    await placePictures(place, ({ part, stem }) => `${folder(part)}/${stem}.jpg`);
    for (const image of smallSet) place(`${folder(image.part)}/${image.stem}.xml`, vocXml(image, `${image.stem}.jpg`));
  }),
  'LabelImg VOC': tool(
    'voc',
    async (place) => {
      await placePictures(place, ({ stem }) => `images/${stem}.jpg`);
      for (const image of smallSet) place(`annotations/${image.stem}.xml`, vocXml(image, `${image.stem}.jpg`));
    },
    ['train'],
  ),
  Datumaro: tool('datumaro', async (place) => {
    await placePictures(place, ({ part, stem }) => `images/${part}/${stem}.jpg`);
    for (const part of ['train', 'val'])
      place(
        `annotations/${part}.json`,
        json({
          info: {},
          categories: {
            label: { labels: NAMES.map((name) => ({ name, parent: '', attributes: [] })), attributes: [] },
          },
          items: imagesOf(part).map(({ stem, width, height, boxes }) => ({
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
