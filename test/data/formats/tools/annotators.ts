import { NAMES, pictureOf } from '../smallSet.js';
import { imagesOf, json, placePictures, tool, corners, csvOf, type Tool } from './shared.js';

export const annotatorsTools: Readonly<Record<string, Tool>> = {
  'Create ML': tool('createml', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `${part}/${stem}.jpg`);
    for (const part of ['train', 'val'])
      place(
        `${part}/_annotations.createml.json`,
        json(
          imagesOf(images, part).map(({ stem, boxes }) => ({
            image: `${stem}.jpg`,
            annotations: boxes.map(({ name, box: [x, y, w, h] }) => ({
              label: name,
              coordinates: { x: x + w / 2, y: y + h / 2, width: w, height: h },
            })),
          })),
        ),
      );
  }),
  labelme: tool(
    'labelme',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `${stem}.jpg`);
      for (const image of images) {
        const shapes = image.boxes.map((box, i) => ({
          label: box.name,
          points: i % 2 === 0 ? [corners(box)[2], corners(box)[0]] : corners(box),
          group_id: null,
          shape_type: i % 2 === 0 ? 'rectangle' : 'polygon',
          flags: {},
        }));
        place(
          `${image.stem}.json`,
          json({
            version: '5.2.1',
            flags: {},
            shapes,
            imagePath: `${image.stem}.jpg`,
            imageData: null,
            imageHeight: image.height,
            imageWidth: image.width,
          }),
        );
      }
    },
    ['train'],
  ),
  'labelme with image data': tool('labelme', async (place, images) => {
    for (const image of images) {
      const shapes = image.boxes.map((box) => ({
        label: box.name,
        points: [corners(box)[0], corners(box)[2]],
        group_id: null,
        shape_type: 'rectangle',
        flags: {},
      }));
      place(
        `${image.part}/${image.stem}.json`,
        json({
          version: '4.5.6',
          flags: {},
          shapes,
          imagePath: `..\\photos\\${image.stem}.jpg`,
          imageData: (await pictureOf(image)).toString('base64'),
          imageHeight: image.height,
          imageWidth: image.width,
        }),
      );
    }
  }),
  VoTT: tool(
    'vott',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `vott-json-export/${stem}.jpg`);
      const assets = images.map((image, i) => [
        `a${i}`,
        {
          asset: {
            format: 'jpg',
            id: `a${i}`,
            name: `${image.stem}.jpg`,
            path: `file:C:/photos/${image.stem}.jpg`,
            size: { width: image.width, height: image.height },
            state: 2,
            type: 1,
          },
          regions: image.boxes.map((box, j) => ({
            id: `r${j}`,
            type: 'RECTANGLE',
            tags: [box.name],
            boundingBox: { left: box.box[0], top: box.box[1], width: box.box[2], height: box.box[3] },
            points: corners(box).map(([x, y]) => ({ x, y })),
          })),
          version: '2.2.0',
        },
      ]);
      place(
        'vott-json-export/blood-export.json',
        json({
          name: 'blood',
          tags: NAMES.map((name) => ({ name, color: '#5db300' })),
          id: 'x',
          assets: Object.fromEntries(assets) as unknown,
          version: '2.2.0',
        }),
      );
    },
    ['train'],
  ),
  'Label Studio JSON': tool(
    'labelstudio',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `images/${stem} photo.jpg`);
      place(
        'project-1-at-2024-05-05.json',
        json(
          images.map(({ stem, width, height, boxes }, i) => ({
            id: i + 1,
            annotations: [
              {
                id: i + 10,
                was_cancelled: false,
                result: boxes.map(({ name, box: [x, y, w, h] }, j) => ({
                  original_width: width,
                  original_height: height,
                  image_rotation: 0,
                  value: {
                    x: (100 * x) / width,
                    y: (100 * y) / height,
                    width: (100 * w) / width,
                    height: (100 * h) / height,
                    rotation: 0,
                    rectanglelabels: [name],
                  },
                  id: `r${j}`,
                  from_name: 'label',
                  to_name: 'image',
                  type: 'rectanglelabels',
                  origin: 'manual',
                })),
              },
            ],
            data: { image: `/data/upload/1/0d5b7a9c-${stem}%20photo.jpg` },
          })),
        ),
      );
    },
    ['train'],
  ),
  'VIA project': tool('via', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `${part}/${stem}.jpg`);
    for (const part of ['train', 'val']) {
      const entries = imagesOf(images, part).map(({ stem, boxes }) => [
        `${stem}.jpg123`,
        {
          filename: `${stem}.jpg`,
          size: 123,
          file_attributes: {},
          regions: boxes.map(({ name, box: [x, y, width, height] }) => ({
            shape_attributes: { name: 'rect', x, y, width, height },
            region_attributes: { cell: name },
          })),
        },
      ]);
      place(`${part}/via_region_data.json`, json(Object.fromEntries(entries)));
    }
  }),
  'VIA csv': tool(
    'via',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `${stem}.jpg`);
      const quoted = (value: unknown): string => `"${JSON.stringify(value).replaceAll('"', '""')}"`;
      const rows = images.flatMap(({ stem, boxes }) =>
        boxes.length === 0
          ? [[`${stem}.jpg`, 123, quoted({}), 0, 0, quoted({}), quoted({})]]
          : boxes.map(({ name, box: [x, y, width, height] }, i) => [
              `${stem}.jpg`,
              123,
              quoted({}),
              boxes.length,
              i,
              quoted({ name: 'rect', x, y, width, height }),
              quoted({ cell: name }),
            ]),
      );
      place(
        'via_export_csv.csv',
        csvOf(
          'filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes',
          rows,
        ),
      );
    },
    ['train'],
  ),
};
