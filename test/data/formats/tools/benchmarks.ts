import { NAMES } from '../smallSet.js';
import { corners, cornersRow, imagesOf, json, placePictures, tool, type Tool } from './shared.js';

/** The numbers that VisDrone and MOT give the classes that stand for ours. */
const VISDRONE = { 'red cell': 4, 'white cell': 1, platelet: 10 } as const;
const MOT = { 'red cell': 3, 'white cell': 1, platelet: 4 } as const;
type Name = (typeof NAMES)[number];

/** Data sets of competitions, as their authors write them. */
export const benchmarksTools: Readonly<Record<string, Tool>> = {
  KITTI: tool('kitti', async (place, images) => {
    const folder = (part: string): string => (part === 'val' ? 'validation' : 'training');
    await placePictures(place, images, ({ part, stem }) => `${folder(part)}/image_2/${stem}.jpg`);
    for (const { part, stem, boxes } of images) {
      const rows = boxes.map((box) => {
        const numbers = cornersRow(box).map((value) => value.toFixed(2));
        return `${box.name} 0.00 0 -1.58 ${numbers.join(' ')} 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n`;
      });
      place(`${folder(part)}/label_2/${stem}.txt`, rows.join(''));
    }
  }),
  DOTA: tool('dota', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `${part}/images/${stem}.jpg`);
    for (const image of images) {
      const rows = image.boxes.map((box, i) => `${corners(box).flat().join(' ')} ${box.name} ${2 * (i % 2)}\n`);
      place(`${image.part}/labelTxt/${image.stem}.txt`, `imagesource:GoogleEarth\ngsd:0.146343\n${rows.join('')}`);
    }
  }),
  'Roboflow rotated boxes': tool('dota', async (place, images) => {
    const folder = (part: string): string => (part === 'val' ? 'valid' : part);
    await placePictures(place, images, ({ part, stem }) => `${folder(part)}/images/${stem}_jpg.rf.0a1b.jpg`);
    for (const image of images) {
      const rows = image.boxes.map((box) => `${corners(box).flat().join(' ')} ${box.name} 0`);
      place(`${folder(image.part)}/labelTxt/${image.stem}_jpg.rf.0a1b.txt`, rows.join('\n'));
    }
  }),
  VisDrone: tool(
    'visdrone',
    async (place, images) => {
      const folder = (part: string): string => `VisDrone2019-DET-${part}`;
      await placePictures(place, images, ({ part, stem }) => `${folder(part)}/images/${stem}.jpg`);
      for (const { part, stem, boxes } of images) {
        const rows = boxes.map(({ name, box }) => `${box.join(',')},1,${VISDRONE[name as Name]},0,0\n`);
        place(`${folder(part)}/annotations/${stem}.txt`, rows.join(''));
      }
    },
    ['train', 'val'],
    { 'red cell': 'car', 'white cell': 'pedestrian', platelet: 'motor' },
  ),
  MOT: tool(
    'mot',
    async (place, images) => {
      const number = (image: (typeof images)[number]): number => images.indexOf(image) + 1;
      const frame = (image: (typeof images)[number]): string => String(number(image)).padStart(6, '0');
      await placePictures(place, images, (image) => `train/MOT17-02-DPM/img1/${frame(image)}.jpg`);
      const rows = images.flatMap((image) =>
        image.boxes.map(({ name, box }, i) => [number(image), i + 1, ...box, 1, MOT[name as Name], 0.9].join(',')),
      );
      place('train/MOT17-02-DPM/gt/gt.txt', rows.map((row) => `${row}\n`).join(''));
      place('train/MOT17-02-DPM/det/det.txt', '1,-1,5,7,20,18,0.9\n');
      place('train/MOT17-02-DPM/seqinfo.ini', '[Sequence]\nname=MOT17-02-DPM\nimDir=img1\nimExt=.jpg\n');
    },
    ['train'],
    { 'red cell': 'car', 'white cell': 'pedestrian', platelet: 'bicycle' },
  ),
  BDD100K: tool('bdd100k', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `images/100k/${part}/${stem}.jpg`);
    for (const part of ['train', 'val']) {
      const entries = imagesOf(images, part).map(({ stem, boxes }) => ({
        name: `${stem}.jpg`,
        attributes: { weather: 'clear', scene: 'highway' },
        timestamp: 10000,
        labels: boxes.map((box, id) => {
          const [x1, y1, x2, y2] = cornersRow(box);
          return {
            id,
            category: box.name,
            attributes: { occluded: false },
            manualShape: true,
            box2d: { x1, y1, x2, y2 },
          };
        }),
      }));
      place(`labels/bdd100k_labels_images_${part}.json`, json(entries));
    }
  }),
  'WIDER FACE': tool(
    'widerface',
    async (place, images) => {
      await placePictures(place, images, ({ part, stem }) => `WIDER_${part}/images/0--Parade/${stem}.jpg`);
      for (const part of ['train', 'val']) {
        const blocks = imagesOf(images, part).map(({ stem, boxes }) => {
          const faces = boxes.map(({ box }) => `${box.join(' ')} 0 0 0 0 0 0 \n`);
          const lines = faces.length > 0 ? faces.join('') : '0 0 0 0 0 0 0 0 0 0 \n';
          return `0--Parade/${stem}.jpg\n${boxes.length}\n${lines}`;
        });
        place(`wider_face_split/wider_face_${part}_bbx_gt.txt`, blocks.join(''));
      }
    },
    ['train', 'val'],
    Object.fromEntries(NAMES.map((name) => [name, 'face'])),
  ),
};
