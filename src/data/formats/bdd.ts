import { basename } from 'node:path';
import type { Detect } from './detect/detected.js';
import { filePerPart, jsonPerImage } from './detect/json.js';
import { listed } from './records/listed.js';
import { asText, fieldsOf, isFields, numbersOf, parseLabelJson, type Fields } from './records/readLabels.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';

const ofPart = filePerPart(
  /\.json$/i,
  (text) => /^\s*(?:\[|\{\s*"frames"\s*:)/.test(text) && /"labels"\s*:\s*\[/.test(text) && /"box2d"\s*:/.test(text),
  'the labels of BDD100K, which Scalabel writes',
);
const perImage = jsonPerImage(
  (text) => /"frames"\s*:\s*\[/.test(text) && /"objects"\s*:\s*\[/.test(text) && /"(?:box2d|poly2d)"\s*:/.test(text),
  'the labels of an image of BDD100K',
);

export const detectBdd: Detect = async (listing) => (await ofPart(listing)) ?? (await perImage(listing));

/** BDD100K and Scalabel: a JSON list of images with their labels, or a file for each image. What has no box, such as a
 *  lane, is left out. */
export const bdd = recordFormat(
  'bdd100k',
  detectBdd,
  textLayout((path) => /\.json$/i.test(path), readBdd),
);

function readBdd(text: string, label: LabelFile): { images: ImageRecord[] } {
  const { file, wrong, findings } = label;
  const json = parseLabelJson(text, file);
  const ofImage = isFields(json) && asText(json['name']) !== undefined ? [imageOf(json)] : undefined;
  const list = ofImage ?? (isFields(json) ? json['frames'] : json);
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
    return [{ name, isStem: ofImage !== undefined, objects, where }];
  });
  return { images };
}

/** The image of a file of its own, whose only frame has the labels. */
function imageOf(json: Fields): Fields {
  const [frame] = fieldsOf(json['frames']);
  return { name: json['name'], labels: frame?.['objects'] };
}
