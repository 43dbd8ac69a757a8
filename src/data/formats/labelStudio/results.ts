import { listed } from '../records/listed.js';
import {
  asNumber,
  asText,
  type Fields,
  fieldsOf,
  isFields,
  numberList,
  numbersOf,
  sizeOf,
} from '../records/readLabels.js';
import type { ImageRecord, ObjectRecord } from '../records/record.js';
import type { LabelFile } from '../records/textLayout.js';

/** A task of Label Studio: its image, and the results of its annotation; undefined if nobody has annotated it. */
export interface StudioTask {
  readonly name: string;
  readonly results: readonly Fields[] | undefined;
  readonly fields: Fields;
}

const LABEL_KEYS = ['rectanglelabels', 'polygonlabels', 'ellipselabels', 'brushlabels', 'keypointlabels', 'labels'];

/** The tasks of an export, full or minimal. Problems are reported by `wrong`. */
export function studioTasks(list: readonly unknown[], { wrong, findings, file }: LabelFile): StudioTask[] {
  return list.flatMap((task, index): StudioTask[] => {
    const fields = isFields(task) ? task : {};
    const data = isFields(fields['data']) ? fields['data'] : fields;
    const name = imageOf(data);
    if (name === undefined) {
      wrong(`[${index}] has no image in "data"`);
      return [];
    }
    const annotations = fieldsOf(fields['annotations'] ?? fields['completions']);
    if (fields['annotations'] === undefined && fields['completions'] === undefined)
      return [{ name, results: minimalResults(fields), fields }];
    const kept = annotations.filter(({ was_cancelled: cancelled }) => cancelled !== true);
    const [first, second] = kept;
    if (second) findings.count('further annotation of a task, left out', () => ({ message: name, where: { file } }));
    return [
      {
        name,
        results: first && listed(first['result'], 'result', `"${name}"`, { wrong, findings, where: { file } }),
        fields,
      },
    ];
  });
}

/** The image of a task: `image`, or the first value that has the form of a path of an image. */
function imageOf(data: Fields): string | undefined {
  const values = [data['image'], data['img'], data['photo'], data['url'], ...Object.values(data)];
  const texts = values.map(asText).filter((text) => text !== undefined);
  return asText(data['image']) ?? texts.find((text) => /\.(?:jpe?g|png|webp|tiff?|bmp|avif)(?:\?|$)/i.test(text));
}

/** The results in the minimal export: the values stand in lists under the names of the controls. A control without a
 *  result is left out there. */
function minimalResults(fields: Fields): Fields[] | undefined {
  const lists = Object.values(fields).filter((value): value is readonly unknown[] => Array.isArray(value));
  const ofObjects = lists.filter((list) => fieldsOf(list).some((one) => LABEL_KEYS.some((key) => key in one)));
  if (ofObjects.length === 0) return asText(fields['annotation_id']) === undefined ? undefined : []; // nothing is in it
  return ofObjects.flat().map((one) => {
    if (!isFields(one)) return {};
    return { value: one, original_width: one['original_width'], original_height: one['original_height'] };
  });
}

/** The image with its objects. */
export function studioRecord({ name, results = [] }: StudioTask, label: LabelFile): ImageRecord {
  const sized = results.find((result) => result['original_width'] !== undefined);
  return {
    name,
    size: sizeOf(sized?.['original_width'], sized?.['original_height']),
    objects: results.flatMap((result, index) => readResult(result, `result[${index}] of "${name}"`, label)),
    where: { file: label.file },
  };
}

/** A result, once for each of its labels. Rectangles, polygons and ellipses are in percent of the image. */
function readResult(result: Fields, subject: string, { file, wrong, findings }: LabelFile): ObjectRecord[] {
  const value = isFields(result['value']) ? result['value'] : {};
  const key = LABEL_KEYS.find((one) => Array.isArray(value[one]));
  const labels = key === undefined ? [] : (value[key] as readonly unknown[]).map(asText);
  const note = () => ({ message: subject, where: { file } });
  const names = labels.filter((label) => label !== undefined);
  const make = (form: 'box' | 'outline', percent: readonly number[], rotation = 0): ObjectRecord[] =>
    names.map((category) => {
      const points = percent.map((number) => number / 100);
      return { category, form, points, unit: 'shares', rotation, where: { file }, subject };
    });
  if (key === undefined) {
    findings.count('result without labels of objects, left out', note);
    return [];
  }
  if (names.length === 0) {
    if ('x' in value || 'points' in value) wrong(`${subject} has no label`);
    return [];
  }
  const box = numbersOf(value, 'x', 'y', 'width', 'height') as [number, number, number, number] | undefined;
  const ellipse = numbersOf(value, 'x', 'y', 'radiusX', 'radiusY') as [number, number, number, number] | undefined;
  const points = Array.isArray(value['points']) ? value['points'].map(numberList) : undefined;
  const rotation = asNumber(value['rotation']) ?? 0;
  if (ellipse) {
    const [x, y, rx, ry] = ellipse;
    findings.count('circle read as the box around it', note);
    return make('outline', [x - rx, y - ry, x + rx, y + ry]);
  }
  if (box && key !== 'keypointlabels') {
    if (rotation !== 0) findings.count('rotated box read as the box around it', note);
    return make('box', [box[0], box[1], box[0] + box[2], box[1] + box[3]], rotation);
  }
  if (points) {
    if (points.length < 2 || points.some((point) => point?.length !== 2))
      wrong(`${subject} has a wrong list of "points"`);
    else {
      findings.count('polygon read as the box around it', note);
      return make(
        'outline',
        points.flatMap((point) => point!),
      );
    }
    return [];
  }
  if (key === 'rectanglelabels') wrong(`${subject} has no x, y, width and height`);
  else findings.count(`${key === 'brushlabels' ? 'brush mask' : 'point'}, left out`, note);
  return [];
}

/** The choice that was made for a task, full or minimal. */
export function studioChoice({ results, fields }: StudioTask): string | undefined {
  for (const result of results ?? []) {
    const value = isFields(result['value']) ? result['value'] : {};
    const choices = Array.isArray(value['choices']) ? value['choices'] : [];
    const [first] = choices.map(asText);
    if (first !== undefined) return first;
  }
  const choice = fields['choice'] ?? fields['label'] ?? fields['class'];
  if (isFields(choice) && Array.isArray(choice['choices'])) return asText(choice['choices'][0]);
  return asText(choice);
}
