import { basename } from 'node:path';
import { filePerPart } from './detect/json.js';
import { listed } from './records/listed.js';
import { asText, isFields, numbersOf, parseLabelJson } from './records/readLabels.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';

export const detectCreateMl = filePerPart(
  /\.json$/i,
  (text) =>
    /^\s*\[/.test(text) &&
    /"(?:image|imagefilename|imageFilename)"\s*:/.test(text) &&
    /"annotations?"\s*:\s*\[/.test(text) &&
    (/"coordinates"\s*:\s*\{/.test(text) || /createml/i.test(text)),
  'a list of images with annotations in "coordinates"',
);

/** Create ML of Apple: a JSON list of images with boxes by their centres. */
export const createMl = recordFormat(
  'createml',
  detectCreateMl,
  textLayout((path) => /\.json$/i.test(path), readCreateMl),
);

function readCreateMl(text: string, label: LabelFile): { images: ImageRecord[] } {
  const { file, wrong } = label;
  const at = { ...label, where: { file } };
  const list = parseLabelJson(text, file);
  if (!Array.isArray(list)) throw notOfLayout(file, `${basename(file)} is not a list of images with annotations`);
  const images = list.flatMap((entry: unknown, index): ImageRecord[] => {
    const fields = isFields(entry) ? entry : {};
    const name = asText(fields['image'] ?? fields['imagefilename'] ?? fields['imageFilename']);
    if (name === undefined) {
      wrong(`[${index}] has no "image"`);
      return [];
    }
    const annotations = listed(fields['annotations'] ?? fields['annotation'], 'annotations', `"${name}"`, at);
    const objects = annotations.flatMap(({ label: named, coordinates }, i): ObjectRecord[] => {
      const subject = `[${index}].annotations[${i}] of "${name}"`;
      const category = asText(named);
      const box = numbersOf(coordinates, 'x', 'y', 'width', 'height') as [number, number, number, number] | undefined;
      if (category !== undefined && box) {
        const [x, y, w, h] = box;
        const points = [x - w / 2, y - h / 2, x + w / 2, y + h / 2];
        return [{ category, points, form: 'box', unit: 'pixels', where: { file }, subject }];
      }
      wrong(`${subject} has no ${box ? '"label"' : '"coordinates" of x, y, width and height'}`);
      return [];
    });
    return [{ name, objects, where: { file } }];
  });
  return { images };
}
