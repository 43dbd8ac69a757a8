import { basename } from 'node:path';
import type { PartName } from '../sample.js';
import { counted, filesLike, type Detect } from './detect/detected.js';
import { entriesInParts, partOf } from './detect/parts.js';
import { jsonLines, type JsonLine } from './records/jsonLines.js';
import { listed } from './records/listed.js';
import { asNumber, asText, fieldsOf, isFields, numbersOf, sizeOf } from './records/readLabels.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';

const LINES = /\.(?:jsonl|ndjson|manifest|json)$/i;
const VERTEX = /"(?:imageGcsUri|image_gcs_uri)"\s*:/;
const GROUND_TRUTH = /"source-ref"\s*:/;
const USE = /"aiplatform\.googleapis\.com\/ml_use"\s*:\s*"(\w+)"/g;

/** The files of two clouds with an image in each line: those of Vertex AI say in each line to which part it belongs. */
export const detectCloud: Detect = async (listing) => {
  const files = listing.files.filter((file) => LINES.test(file)).slice(0, 200);
  const isBoxes = (text: string): boolean =>
    (VERTEX.test(text) && /"(?:boundingBoxAnnotations|bounding_box_annotations)"\s*:/.test(text)) ||
    (GROUND_TRUTH.test(text) && /"annotations"\s*:\s*\[/.test(text));
  const alike = await filesLike(listing, files, isBoxes);
  if (alike.length === 0) return undefined;
  const usesOf = async (file: string): Promise<PartName[]> => {
    const uses = [...(await listing.text(file)).matchAll(USE)].map(([, use]) => partOf(use!));
    return uses.filter((part) => part !== undefined);
  };
  const places = await entriesInParts(alike, usesOf);
  const have = `${counted(alike.length, 'file')} ${alike.length === 1 ? 'has' : 'have'}`;
  return { certainty: 0.98, why: `${have} an image of Vertex AI or SageMaker Ground Truth in each line`, ...places };
};

/** Lines of JSON with an image and its boxes: the import files of Vertex AI, and the output manifests of SageMaker Ground
 *  Truth. */
export const cloud = recordFormat(
  'cloud',
  detectCloud,
  textLayout((path) => LINES.test(path), readCloud),
);

function readCloud(text: string, label: LabelFile): { images: ImageRecord[] } {
  const lines = jsonLines(text, label);
  if (!lines.some(({ fields }) => uriOf(fields) !== undefined || fields['source-ref'] !== undefined))
    throw notOfLayout(label.file, `${basename(label.file)} has no line with "imageGcsUri" or "source-ref"`);
  const uses = new Set(lines.map(useOf));
  const isDivided = uses.has('val') || uses.has('test');
  return {
    images: lines
      .filter((line) => !isDivided || (useOf(line) ?? 'train') === label.part)
      .flatMap((line) => (line.fields['source-ref'] === undefined ? vertexImage : groundTruthImage)(line, label) ?? []),
  };
}

const uriOf = (fields: JsonLine['fields']): string | undefined =>
  asText(fields['imageGcsUri'] ?? fields['image_gcs_uri']);

function useOf({ fields }: JsonLine): PartName | undefined {
  const labels = fields['dataItemResourceLabels'] ?? fields['data_item_resource_labels'];
  const use = isFields(labels) ? asText(labels['aiplatform.googleapis.com/ml_use']) : undefined;
  return use === undefined ? undefined : partOf(use);
}

function vertexImage({ fields, where }: JsonLine, label: LabelFile): ImageRecord | undefined {
  const { wrong } = label;
  const name = uriOf(fields);
  if (name === undefined) {
    wrong('the line has no "imageGcsUri"', where);
    return undefined;
  }
  const boxes = listed(
    fields['boundingBoxAnnotations'] ?? fields['bounding_box_annotations'],
    'boundingBoxAnnotations',
    `"${name}"`,
    { ...label, where },
  );
  const objects = boxes.flatMap((box, index): ObjectRecord[] => {
    const subject = `boundingBoxAnnotations[${index}]`;
    const category = asText(box['displayName'] ?? box['display_name']);
    const corners =
      numbersOf(box, 'xMin', 'yMin', 'xMax', 'yMax') ?? numbersOf(box, 'x_min', 'y_min', 'x_max', 'y_max');
    if (category !== undefined && corners)
      return [{ category, points: corners, form: 'box', unit: 'shares', where, subject }];
    wrong(`${subject} has no "${category === undefined ? 'displayName' : 'xMin, yMin, xMax and yMax'}"`, where);
    return [];
  });
  return { name, objects, where };
}

/** The labels stand under the name of the labelling job, and the names of the classes in its metadata. */
function groundTruthImage({ fields, where }: JsonLine, label: LabelFile): ImageRecord | undefined {
  const { wrong } = label;
  const name = asText(fields['source-ref']);
  const [job] = Object.entries(fields).filter(([, value]) => isFields(value) && Array.isArray(value['annotations']));
  if (name === undefined || !job || !isFields(job[1])) {
    wrong(name === undefined ? 'the line has no "source-ref"' : 'the line has no "annotations"', where);
    return undefined;
  }
  const [key, labels] = job;
  const about = fields[`${key}-metadata`];
  const names = isFields(about) && isFields(about['class-map']) ? about['class-map'] : undefined;
  const objects = listed(labels['annotations'], 'annotations', `"${name}"`, { ...label, where }).flatMap(
    (one, index): ObjectRecord[] => {
      const subject = `annotations[${index}]`;
      const number = asNumber(one['class_id']);
      const category = number === undefined ? undefined : names ? asText(names[number]) : String(number);
      const box = numbersOf(one, 'left', 'top', 'width', 'height') as [number, number, number, number] | undefined;
      if (category !== undefined && box) {
        const [x, y, w, h] = box;
        return [{ category, points: [x, y, x + w, y + h], form: 'box', unit: 'pixels', where, subject }];
      }
      const what =
        category === undefined
          ? `"class_id"${names ? ' that "class-map" names' : ''}`
          : '"left, top, width and height"';
      wrong(`${subject} has no ${what}`, where);
      return [];
    },
  );
  const [size] = fieldsOf(labels['image_size']);
  return { name, size: sizeOf(size?.['width'], size?.['height']), objects, where };
}
