import { basename } from 'node:path';
import { filePerPart } from './detect/json.js';
import { jsonLines, type JsonLine } from './records/jsonLines.js';
import { asText } from './records/readLabels.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';

const LINES = /\.jsonl?$/i;

export const detectVisionLanguage = filePerPart(
  LINES,
  (text) => /"suffix"\s*:\s*"[^"]*<loc_?\d+>/.test(text) && /"image"\s*:/.test(text),
  'answers of PaliGemma or Florence-2 with the places of objects',
);

/** Lines of JSON from which PaliGemma and Florence-2 learn to detect: an image, and an answer with four location tokens for
 *  each object. Places are rounded to a 1024th or a 1000th of the image. */
export const visionLanguage = recordFormat(
  'vision-language',
  detectVisionLanguage,
  textLayout((path) => LINES.test(path), (text, label) => {
    const lines = jsonLines(text, label);
    if (!lines.some(({ fields }) => typeof fields['suffix'] === 'string'))
      throw notOfLayout(label.file, `${basename(label.file)} has no line with a "suffix"`);
    return { images: lines.flatMap((line) => readLine(line, label) ?? []) };
  }), // prettier-ignore
);

/** Top, left, bottom and right in 1024ths, then the class: "<loc0100><loc0200><loc0300><loc0400> cat ; …". */
const PALIGEMMA = /^<loc(\d{4})><loc(\d{4})><loc(\d{4})><loc(\d{4})>\s*(.*\S)$/;
/** The class, then left, top, right and bottom in thousandths, of which the middle is meant. */
const FLORENCE = /([^<>]+)<loc_(\d+)><loc_(\d+)><loc_(\d+)><loc_(\d+)>/y;

function readLine({ fields, where }: JsonLine, { wrong, findings }: LabelFile): ImageRecord | undefined {
  const name = asText(fields['image']);
  const { suffix } = fields;
  if (name === undefined || typeof suffix !== 'string') {
    wrong(`the line has no "${name === undefined ? 'image' : 'suffix'}"`, where);
    return undefined;
  }
  if (suffix.trim() === '')
    findings.count('image with an empty "suffix", which has no objects', () => ({ message: name, where }));
  const objects: ObjectRecord[] = [];
  const add = (category: string, corners: readonly number[]): void => {
    const subject = `object ${objects.length} of "${name}"`;
    objects.push({
      category: category.trim().normalize(),
      points: corners,
      form: 'box',
      unit: 'shares',
      where,
      subject,
    });
  };
  if (suffix.includes('<loc_')) {
    FLORENCE.lastIndex = 0;
    let end = 0;
    for (let found = FLORENCE.exec(suffix); found; found = FLORENCE.exec(suffix)) {
      add(found[1]!, found.slice(2).map((token) => (Number(token) + 0.5) / 1000)); // prettier-ignore
      end = FLORENCE.lastIndex;
    }
    const rest = suffix.slice(end).trim();
    if (rest !== '') wrong(`"${rest.slice(0, 60)}" is no class with four location tokens`, where);
  } else
    for (const one of suffix.split(';').map((part) => part.trim()).filter((part) => part !== '')) {
      const [, top, left, bottom, right, category] = PALIGEMMA.exec(one) ?? [];
      if (category === undefined) wrong(`"${one.slice(0, 60)}" is no class behind four location tokens`, where);
      else add(category, [left, top, right, bottom].map((token) => Number(token) / 1024)); // prettier-ignore
    } // prettier-ignore
  return { name, objects, where };
}
