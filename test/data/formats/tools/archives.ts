import { parquetWriteBuffer } from 'hyparquet-writer';
import { pack } from 'tar-stream';
import { NAMES, pictureOf, type SmallImage } from '../smallSet.js';
import { idOf, imagesOf, json, tool, type Tool } from './shared.js';

/** The schema of a list in a parquet file. */
const list = (name: string, element: (name: string) => readonly object[]): readonly object[] => [
  { name, num_children: 1, converted_type: 'LIST', repetition_type: 'OPTIONAL' },
  { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
  ...element('element'),
];
const leaf =
  (type: string) =>
  (name: string): readonly object[] => [{ name, type, repetition_type: 'OPTIONAL' }];

const SCHEMA = [
  { name: 'root', num_children: 2 },
  { name: 'image', num_children: 2, repetition_type: 'OPTIONAL' },
  ...leaf('BYTE_ARRAY')('bytes'),
  { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'objects', num_children: 2, repetition_type: 'OPTIONAL' },
  ...list('bbox', (name) => list(name, leaf('DOUBLE'))),
  ...list('category', leaf('INT64')),
];

/** What the data sets library writes into a parquet file about its columns. */
const FEATURES = {
  info: {
    features: {
      image: { _type: 'Image' },
      objects: {
        bbox: { feature: { feature: { dtype: 'float64', _type: 'Value' }, _type: 'Sequence' }, _type: 'Sequence' },
        category: { feature: { names: NAMES, _type: 'ClassLabel' }, _type: 'Sequence' },
      },
    },
  },
};

async function parquetOf(images: readonly SmallImage[]): Promise<Uint8Array> {
  const pictures = await Promise.all(
    images.map(async (image) => ({ bytes: new Uint8Array(await pictureOf(image)), path: `${image.stem}.jpg` })),
  );
  const objects = images.map(({ boxes }) => ({
    bbox: boxes.map(({ box }) => [...box]),
    category: boxes.map(({ name }) => BigInt(idOf(name))),
  }));
  const written = parquetWriteBuffer({
    schema: SCHEMA as never,
    columnData: [
      { name: 'image', data: pictures },
      { name: 'objects', data: objects },
    ],
    kvMetadata: [{ key: 'huggingface', value: json(FEATURES) }],
  });
  return new Uint8Array(written);
}

/** A tar file with an image and a JSON file for each sample. */
async function tarOf(images: readonly SmallImage[]): Promise<Uint8Array> {
  const archive = pack();
  for (const image of images) {
    const objects = image.boxes.map(({ name, box }) => ({ bbox: box, category: name }));
    archive.entry({ name: `${image.stem}.jpg` }, await pictureOf(image));
    archive.entry({ name: `${image.stem}.json` }, json({ width: image.width, height: image.height, objects }));
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export const archivesTools: Readonly<Record<string, Tool>> = {
  'Hugging Face parquet': tool(
    'huggingface',
    async (place, images) => {
      place('data/train-00000-of-00001.parquet', await parquetOf(images));
    },
    ['train'],
  ),
  WebDataset: tool('webdataset', async (place, images) => {
    for (const part of ['train', 'val']) place(`${part}-000000.tar`, await tarOf(imagesOf(images, part)));
  }),
};
