import { countObjects, imagesOf, occurring, tidy, unused, type WrittenImage, type Writer } from './writer.js';

/** Pascal VOC: Annotations/, ImageSets/Main/ and JPEGImages/. Its corners count from 1 and are inclusive. */
export const writeVoc: Writer = (set) => {
  const files = new Map<string, string>();
  for (const image of set.images) files.set(`Annotations/${image.stem}.xml`, xmlOf(image));
  for (const part of set.parts)
    files.set(
      `ImageSets/Main/${part}.txt`,
      imagesOf(set, part)
        .map(({ stem }) => `${stem}\n`)
        .join(''),
    );
  return {
    files,
    imagePath: ({ name }) => `JPEGImages/${name}`,
    losses: occurring({
      'crowd, written as a difficult object': countObjects(set, ({ mark }) => mark === 'crowd'),
      'category without an object': unused(set),
      'outline and transcription of a word, written as its box': countObjects(set, ({ word }) => word !== undefined),
    }),
  };
};

const xmlOf = ({ name, width, height, objects }: WrittenImage): string =>
  [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<annotation>',
    `\t<filename>${escapeXml(name)}</filename>`,
    `\t<size><width>${width}</width><height>${height}</height><depth>3</depth></size>`,
    '\t<segmented>0</segmented>',
    ...objects.flatMap(({ category, bbox: [x, y, w, h], mark }) => [
      '\t<object>',
      `\t\t<name>${escapeXml(category)}</name>`,
      '\t\t<pose>Unspecified</pose>',
      '\t\t<truncated>0</truncated>',
      `\t\t<difficult>${mark === undefined ? 0 : 1}</difficult>`,
      `\t\t<bndbox><xmin>${tidy(x + 1)}</xmin><ymin>${tidy(y + 1)}</ymin><xmax>${tidy(x + w)}</xmax><ymax>${tidy(y + h)}</ymax></bndbox>`,
      '\t</object>',
    ]),
    '</annotation>',
    '',
  ].join('\n');

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
