import { pack } from 'tar-stream';
import { zipSync } from 'fflate';
import type { DataOptions } from '../../src/data/dataset.js';
import { detectLayouts } from '../../src/data/formats/detect/detectLayouts.js';
import type { LayoutName } from '../../src/data/formats/text/layouts.js';
import { placeIn, pictureOf, smallSet } from '../data/formats/smallSet.js';
import { csvOf, json } from '../data/formats/tools/shared.js';
import { tools } from '../data/formats/tools.js';
import { matFile } from '../data/text/matFile.js';

/** Writes a folder for a reader, and says how it is read. */
type Write = (root: string) => Promise<DataOptions>;

/** The layout as its folder is recognised; a part that is not there is the training part again. */
async function recognised(root: string): Promise<DataOptions> {
  const [best] = await detectLayouts(root);
  const { data } = best!;
  return { ...data, val: data['val'] ?? data['train'] } as unknown as DataOptions;
}

const placePictures = async (root: string): Promise<void> => {
  for (const image of smallSet) placeIn(root)(`images/${image.stem}.jpg`, await pictureOf(image));
};

const text = (root: string, layout: LayoutName | 'auto', truth = 'gt'): DataOptions => ({
  ...{ format: 'icdar', root, layout, train: { images: 'images', truth }, val: { every: 2 } },
  ...{ characters: 'pseudo', transcriptions: true, crops: 1 },
});

/** A layout of scene text, with these lines for each image. */
const words =
  (layout: LayoutName | 'auto', lines: string): Write =>
  async (root) => {
    await placePictures(root);
    for (const { stem } of smallSet) placeIn(root)(`gt/gt_${stem}.txt`, lines);
    return text(root, layout);
  };

const QUAD = '10,10,30,10,30,20,10,20';
const HEXAGON = '10,10,20,9,30,10,30,20,20,21,10,20';
const NATIVE = "x: [[10 20 30 30 20 10]], y: [[10 9 10\n 20 21 20]], ornt: [u'c'], transcriptions: [u'word']";
const OFFSETS = '10,10,30,20,0,0,3,0,6,0,10,0,13,0,16,0,20,0,20,10,16,10,13,10,10,10,6,10,3,10,0,10';

const textReaders: Readonly<Record<string, Write>> = {
  'ICDAR 2013': words('icdar2013', '10 10 30 20 "word"\n5 5 9 9 "###"\n'),
  'ICDAR 2015': words('icdar2015', `${QUAD},word\n${QUAD},###\n`),
  'ICDAR 2017-MLT': words('icdar2017-mlt', `${QUAD},Latin,word\n${QUAD},None,###\n`),
  'ICDAR 2019-ArT': words('icdar2019-art', `${QUAD},Latin,word\n${HEXAGON},Chinese,world\n`),
  'RCTW-17': words('rctw-17', `${QUAD},0,"word"\n${QUAD},1,"shop"\n`),
  'Total-Text': words('total-text', `${HEXAGON},WORD\n${HEXAGON},#\n`),
  'Total-Text as it came': words('total-text-native', `${NATIVE}\n${NATIVE}\n`),
  CTW1500: words('ctw1500', `${HEXAGON},####WORD\n${HEXAGON},#######\n`),
  'CTW1500 with offsets': words('ctw1500-offsets', `${OFFSETS}\n`),
  'outlines alone': words('polygons', `${HEXAGON}\n${QUAD}\n`),
  'text of an unknown layout': words('auto', `${QUAD},word\n${QUAD},###\n`),
  'CTW1500 as XML': async (root) => {
    await placePictures(root);
    for (const { stem } of smallSet)
      placeIn(root)(
        `gt/${stem}.xml`,
        `<Annotations>\n <image file="${stem}.jpg">\n  <box height="10" left="10" top="10" width="20">\n   <label>word</label>\n   <segs>${HEXAGON}</segs>\n  </box>\n </image>\n</Annotations>\n`,
      );
    return text(root, 'auto');
  },
  'ICDAR 2019-ArT as JSON': async (root) => {
    await placePictures(root);
    const word = { transcription: 'word', points: [[10, 10], [30, 10], [30, 20], [10, 20]], language: 'Latin', illegibility: false }; // prettier-ignore
    placeIn(root)('gt/train_labels.json', json(Object.fromEntries(smallSet.map(({ stem }) => [stem, [word]]))));
    return text(root, 'auto', 'gt/train_labels.json');
  },
  'a zip of ICDAR': async (root) => {
    await placePictures(root);
    const entries = smallSet.map(({ stem }) => [`gt_${stem}.txt`, Buffer.from(`${QUAD},word\n`)] as const);
    placeIn(root)('gt.zip', zipSync(Object.fromEntries(entries)));
    return text(root, 'icdar2015', 'gt.zip');
  },
  SynthText: async (root) => {
    const place = placeIn(root);
    for (const image of smallSet.slice(0, 2)) place(`${image.stem}.jpg`, await pictureOf(image));
    place('gt.mat', matFile(smallSet.slice(0, 2).map(({ stem }) => `${stem}.jpg`)));
    return { format: 'synthtext', root, val: { every: 2 } };
  },
};

const classOf = (index: number): string => (index % 2 === 0 ? 'cell' : 'none');
const classRows = smallSet.map(({ stem }, i) => [`images/${stem}.jpg`, classOf(i)] as const);

/** A layout of images with a class each. */
const classes =
  (write: (place: ReturnType<typeof placeIn>) => Promise<void> | void): Write =>
  async (root) => {
    await placePictures(root);
    await write(placeIn(root));
    return { ...(await recognised(root)), splitSeed: 1 } as DataOptions;
  };

/** A folder for each class, which has no file of labels to change. */
const classFolders: Write = async (root) => {
  for (const [i, image] of smallSet.entries()) placeIn(root)(`${classOf(i)}/${image.stem}.jpg`, await pictureOf(image));
  return { format: 'imageFolder', root, splitSeed: 1 };
};

const classReaders: Readonly<Record<string, Write>> = {
  'a folder for each class': classFolders,
  'a table of classes': classes((place) => {
    place('train.csv', csvOf('file,label', classRows));
  }),
  'Label Studio with choices': classes((place) => {
    const tasks = classRows.map(([file, label], id) => ({
      id,
      annotations: [
        { result: [{ type: 'choices', from_name: 'choice', to_name: 'image', value: { choices: [label] } }] },
      ],
      data: { image: `/data/upload/1/${file}` },
    }));
    place('project.json', json(tasks));
  }),
  'Hugging Face with labels': classes((place) => {
    const rows = classRows.map(([file, label]) => `${JSON.stringify({ file_name: file.slice(7), label })}\n`);
    place('images/metadata.jsonl', rows.join(''));
  }),
  'WebDataset with classes': classes(async (place) => {
    const archive = pack();
    for (const [i, image] of smallSet.entries()) {
      archive.entry({ name: `${image.stem}.jpg` }, await pictureOf(image));
      archive.entry({ name: `${image.stem}.cls` }, classOf(i));
    }
    archive.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of archive) chunks.push(chunk as Buffer);
    place('train-000000.tar', Buffer.concat(chunks));
  }),
};

/** Every reader with folders as each of the programs writes them that it can read. */
export const readers: ReadonlyMap<string, readonly Write[]> = new Map([
  ...[...new Set(Object.values(tools).map(({ format }) => format))].map((format): [string, Write[]] => [
    format,
    Object.values(tools)
      .filter((tool) => tool.format === format)
      .map(({ write }) => async (root) => {
        await write(root, smallSet);
        return recognised(root);
      }),
  ]),
  ...[...Object.entries(classReaders), ...Object.entries(textReaders)].map(([name, write]): [string, Write[]] => [
    name,
    [write],
  ]),
]);
