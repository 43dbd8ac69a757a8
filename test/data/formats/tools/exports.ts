import { NAMES, type SmallImage } from '../smallSet.js';
import { corners, cornersRow, csvOf, idOf, imagesOf, json, placePictures, tool, type Tool } from './shared.js';

const points = (box: SmallImage['boxes'][number]) => corners(box).map(([x, y]) => ({ x, y }));
const folder = (part: string): string => (part === 'val' ? 'valid' : part);
const lines = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

/** The cell of a table of Label Studio with the boxes of an image. */
const studioCell = ({ width, height, boxes }: SmallImage): string => {
  const values = boxes.map(({ name, box: [x, y, w, h] }) => ({
    x: (100 * x) / width,
    y: (100 * y) / height,
    width: (100 * w) / width,
    height: (100 * h) / height,
    rotation: 0,
    rectanglelabels: [name],
    original_width: width,
    original_height: height,
  }));
  return values.length === 0 ? '' : `"${JSON.stringify(values).replaceAll('"', '""')}"`;
};

export const exportsTools: Readonly<Record<string, Tool>> = {
  'V7 Darwin': tool(
    'darwin',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `images/${stem}.jpg`);
      for (const { stem, width, height, boxes } of images) {
        const slots = [{ type: 'image', slot_name: '0', width, height, source_files: [{ file_name: `${stem}.jpg` }] }];
        const annotations = boxes.map((one, i) => {
          const [x, y, w, h] = one.box;
          const outline = i % 2 === 1 && { polygon: { paths: [points(one)] } };
          return { id: `a${i}`, name: one.name, slot_names: ['0'], bounding_box: { x, y, w, h }, ...outline };
        });
        const item = { name: `${stem}.jpg`, path: '/', source_info: {}, slots };
        place(`annotations/${stem}.json`, json({ version: '2.0', schema_ref: 'x', item, annotations }));
      }
    },
    ['train'],
  ),
  Labelbox: tool(
    'labelbox',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `images/${stem}.jpg`);
      const rows = images.map(({ stem, width, height, boxes }) => {
        const objects = boxes.map((one, i) => {
          const [left, top, w, h] = one.box;
          const shape =
            i % 2 === 0
              ? { annotation_kind: 'ImageBoundingBox', bounding_box: { top, left, height: h, width: w } }
              : { annotation_kind: 'ImagePolygon', polygon: points(one) };
          return { feature_id: `f${i}`, name: one.name, value: one.name.replace(' ', '_'), ...shape };
        });
        return {
          data_row: { id: 'c1', external_id: `${stem}.jpg`, row_data: `https://host/bucket/${stem}.jpg?sig=1` },
          media_attributes: { height, width, mime_type: 'image/jpeg' },
          projects: { p: { name: 'blood', labels: [{ id: 'l', annotations: { objects, classifications: [] } }] } },
        };
      });
      place('export.ndjson', lines(rows));
    },
    ['train'],
  ),
  'Roboflow keras-yolo3': tool('keras-yolo', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `${folder(part)}/${stem}.jpg`);
    for (const part of ['train', 'val']) {
      const row = (image: SmallImage): string => {
        const groups = image.boxes.map((box) => [...cornersRow(box), idOf(box.name)].join(','));
        return `${[`${image.stem}.jpg`, ...groups].join(' ')}\n`;
      };
      place(`${folder(part)}/_annotations.txt`, imagesOf(images, part).map(row).join(''));
      place(`${folder(part)}/_classes.txt`, NAMES.join('\n'));
    }
  }),
  PaliGemma: tool('vision-language', async (place, images) => {
    await placePictures(place, images, ({ stem }) => `dataset/${stem}.jpg`);
    for (const part of ['train', 'val']) {
      const row = ({ stem, width, height, boxes }: SmallImage) => {
        const token = (value: number, side: number): string =>
          `<loc${String(Math.round((1024 * value) / side)).padStart(4, '0')}>`;
        const answers = boxes.map((one) => {
          const [x1, y1, x2, y2] = cornersRow(one) as [number, number, number, number];
          return `${token(y1, height)}${token(x1, width)}${token(y2, height)}${token(x2, width)} ${one.name}`;
        });
        return { image: `${stem}.jpg`, prefix: `detect ${NAMES.join(' ; ')}`, suffix: answers.join(' ; ') };
      };
      place(`dataset/_annotations.${folder(part)}.jsonl`, lines(imagesOf(images, part).map(row)));
    }
  }),
  'Florence-2': tool('vision-language', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `${folder(part)}/${stem}.jpg`);
    for (const part of ['train', 'val']) {
      const row = ({ stem, width, height, boxes }: SmallImage) => {
        const answers = boxes.map((one) => {
          const tokens = cornersRow(one).map(
            (value, i) => `<loc_${Math.floor((1000 * value) / (i % 2 ? height : width))}>`,
          );
          return `${one.name}${tokens.join('')}`; // prettier-ignore
        });
        return { image: `${stem}.jpg`, prefix: '<OD>', suffix: answers.join('') };
      };
      place(`${folder(part)}/annotations.jsonl`, lines(imagesOf(images, part).map(row)));
    }
  }),
  'Label Studio csv': tool(
    'labelstudio',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `images/${stem}.jpg`);
      const rows = images.map((image, i) => [i, 1, i, `/data/upload/1/0d5b7a9c-${image.stem}.jpg`, studioCell(image), 3.4]); // prettier-ignore
      place('project-1.csv', csvOf('annotation_id,annotator,id,image,label,lead_time', rows));
    },
    ['train'],
  ),
};
