import { basename } from 'node:path';
import { filePerPart } from './detect/json.js';
import { listed } from './records/listed.js';
import { asText, isFields, numbersOf, parseLabelJson } from './records/readLabels.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';

export const detectBdd = filePerPart(
  /\.json$/i,
  (text) => /^\s*(?:\[|\{\s*"frames"\s*:)/.test(text) && /"labels"\s*:\s*\[/.test(text) && /"box2d"\s*:/.test(text),
  'the labels of BDD100K, which Scalabel writes',
);

/** BDD100K and Scalabel: a JSON list of images with their labels. What has no box, such as a lane, is left out. */
export const bdd = recordFormat(
  'bdd100k',
  detectBdd,
  textLayout((path) => /\.json$/i.test(path), readBdd),
);

function readBdd(text: string, label: LabelFile): { images: ImageRecord[] } {
  const { file, wrong, findings } = label;
  const json = parseLabelJson(text, file);
  const list = isFields(json) ? json['frames'] : json;
  if (!Array.isArray(list)) throw notOfLayout(file, `${basename(file)} is not a list of images with "labels"`);
  const where = { file };
  const images = list.flatMap((entry: unknown, index): ImageRecord[] => {
    const fields = isFields(entry) ? entry : {};
    const name = asText(fields['name']);
    if (name === undefined) {
      wrong(`[${index}] has no "name"`);
      return [];
    }
    const objects = listed(fields['labels'], 'labels', `"${name}"`, { ...label, where }).flatMap(
      (one, at): ObjectRecord[] => {
        const subject = `[${index}].labels[${at}] of "${name}"`;
        const category = asText(one['category']);
        if (!isFields(one['box2d'])) {
          findings.count('label without a box, left out', () => ({ message: subject, where }));
          return [];
        }
        const points = numbersOf(one['box2d'], 'x1', 'y1', 'x2', 'y2');
        if (category !== undefined && points)
          return [{ category, points, form: 'box', unit: 'pixels', where, subject }];
        wrong(`${subject} has no ${points ? '"category"' : 'x1, y1, x2 and y2 in "box2d"'}`);
        return [];
      },
    );
    return [{ name, objects, where }];
  });
  return { images };
}
