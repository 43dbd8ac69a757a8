import { NAMES } from '../smallSet.js';
import { idOf, imagesOf, placePictures, tool, csvOf, rowsOf, cornersRow, shares, type Tool } from './shared.js';

export const tablesTools: Readonly<Record<string, Tool>> = {
  'VoTT csv': tool(
    'box-csv',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `vott-csv-export/${stem}.jpg`);
      const rows = ['train', 'val'].flatMap((part) =>
        rowsOf(imagesOf(images, part), ({ stem }, box) => [`"${stem}.jpg"`, ...cornersRow(box), `"${box.name}"`]),
      );
      place('vott-csv-export/blood-export.csv', csvOf('"image","xmin","ymin","xmax","ymax","label"', rows));
    },
    ['train'],
  ),
  'keras-retinanet csv': tool('box-csv', async (place, images) => {
    await placePictures(place, images, ({ stem }) => `images/${stem}.jpg`);
    for (const part of ['train', 'val']) {
      const empty = imagesOf(images, part)
        .filter(({ boxes }) => boxes.length === 0)
        .map(({ stem }) => [`images/${stem}.jpg`, '', '', '', '', '']);
      place(
        `${part}_annotations.csv`,
        csvOf(undefined, [
          ...rowsOf(imagesOf(images, part), ({ stem }, box) => [`images/${stem}.jpg`, ...cornersRow(box), box.name]),
          ...empty,
        ]),
      );
    }
    place(
      'classes.csv',
      csvOf(
        undefined,
        NAMES.map((name, i) => [name, i]),
      ),
    );
  }),
  'TensorFlow csv': tool('box-csv', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `images/${part}/${stem}.jpg`);
    for (const part of ['train', 'val'])
      place(
        `${part}_labels.csv`,
        csvOf(
          'filename,width,height,class,xmin,ymin,xmax,ymax',
          rowsOf(imagesOf(images, part), ({ stem, width, height }, box) => [
            `${stem}.jpg`,
            width,
            height,
            box.name,
            ...cornersRow(box),
          ]),
        ),
      );
  }),
  'Google AutoML csv': tool('box-csv', async (place, images) => {
    await placePictures(place, images, ({ stem }) => `photos/${stem}.jpg`);
    const rows = ['train', 'val'].flatMap((part) =>
      rowsOf(imagesOf(images, part), (image, box) => {
        const [x1, y1, x2, y2] = shares(image, box);
        return [
          part === 'val' ? 'VALIDATION' : 'TRAIN',
          `gs://bucket/photos/${image.stem}.jpg`,
          box.name,
          x1!,
          y1!,
          '',
          '',
          x2!,
          y2!,
          '',
          '',
        ];
      }),
    );
    place('dataset.csv', csvOf(undefined, rows));
  }),
  'Open Images csv': tool('box-csv', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `${part === 'val' ? 'validation' : part}/${stem}.jpg`);
    for (const part of ['train', 'val']) {
      const rows = rowsOf(imagesOf(images, part), (image, box) => {
        const [x1, y1, x2, y2] = shares(image, box);
        return [image.stem, 'xclick', `/m/0${idOf(box.name)}`, 1, x1!, x2!, y1!, y2!, 0, 0, 0, 0, 0];
      });
      place(
        `${part === 'val' ? 'validation' : part}-annotations-bbox.csv`,
        csvOf(
          'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside',
          rows,
        ),
      );
    }
    place(
      'class-descriptions-boxable.csv',
      csvOf(
        undefined,
        NAMES.map((name, i) => [`/m/0${i}`, name]),
      ),
    );
  }),
  'Hugging Face image folder': tool('huggingface', async (place, images) => {
    const folder = (part: string): string => (part === 'val' ? 'validation' : part);
    await placePictures(place, images, ({ part, stem }) => `${folder(part)}/${stem}.jpg`);
    for (const part of ['train', 'val'])
      place(
        `${folder(part)}/metadata.jsonl`,
        imagesOf(images, part)
          .map(
            ({ stem, boxes }) =>
              `${JSON.stringify({ file_name: `${stem}.jpg`, objects: { bbox: boxes.map(({ box }) => box), categories: boxes.map(({ name }) => name) } })}\n`,
          )
          .join(''),
      );
  }),
};
