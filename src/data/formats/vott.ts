import { basename } from 'node:path';
import type { Detect } from './detect/detected.js';
import { filePerPart, jsonPerImage } from './detect/json.js';
import { listed } from './records/listed.js';
import { asText, type Fields, fieldsOf, isFields, numbersOf, parseLabelJson, sizeOf } from './records/readLabels.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';

const isRegion = (text: string): boolean => /"regions"\s*:\s*\[/.test(text) && /"asset"\s*:\s*\{/.test(text);

const exported = filePerPart(
  /\.json$/i,
  (text) => /"assets"\s*:\s*\{/.test(text) && isRegion(text),
  'the assets of VoTT',
);
const assets = jsonPerImage(
  (text) => isRegion(text) && !/"assets"\s*:/.test(text),
  'an asset of VoTT with its regions',
);

export const detectVott: Detect = async (listing) => (await exported(listing)) ?? (await assets(listing));

/** VoTT of Microsoft: one JSON file of an export, or a file for each asset. */
export const vott = recordFormat(
  'vott',
  detectVott,
  textLayout((path) => /\.json$/i.test(path), readVott),
);

function readVott(text: string, file: LabelFile): { images: ImageRecord[] } {
  const fields = parseLabelJson(text, file.file);
  const entries =
    isFields(fields) && isFields(fields['assets'])
      ? Object.entries(fields['assets'])
      : isFields(fields) && isFields(fields['asset'])
        ? [['asset', fields] as const]
        : undefined;
  if (!entries) throw notOfLayout(file.file, `${basename(file.file)} has no "assets" and no "asset" of VoTT`);
  return { images: entries.flatMap(([key, entry]) => readAsset(key, entry, file) ?? []) };
}

function readAsset(key: string, entry: unknown, label: LabelFile): ImageRecord | undefined {
  const { file, wrong } = label;
  const asset = isFields(entry) && isFields(entry['asset']) ? entry['asset'] : undefined;
  const name = asText(asset?.['name']) ?? asText(asset?.['path']);
  if (!isFields(entry) || !asset || name === undefined) {
    wrong(`asset ${key} has no "name"`);
    return undefined;
  }
  const size = isFields(asset['size']) ? sizeOf(asset['size']['width'], asset['size']['height']) : undefined;
  const path = asText(asset['path'])?.replace(/^file:\/*/, '/');
  const objects = listed(entry['regions'], 'regions', `"${name}"`, { ...label, where: { file } }).flatMap(
    (region, index) => readRegion(region, `regions[${index}] of "${name}"`, { file, wrong }),
  );
  return { name, ...(path !== undefined && { otherNames: [path] }), size, objects, where: { file } };
}

/** A region, once for each of its tags. */
function readRegion(
  { tags, boundingBox, points }: Fields,
  subject: string,
  { file, wrong }: Pick<LabelFile, 'file' | 'wrong'>,
): ObjectRecord[] {
  const names = (Array.isArray(tags) ? tags : []).map(asText).filter((name) => name !== undefined);
  const box = numbersOf(boundingBox, 'left', 'top', 'width', 'height') as [number, number, number, number] | undefined;
  const outline = fieldsOf(points).map((point) => numbersOf(point, 'x', 'y'));
  if (names.length === 0) wrong(`${subject} has no tag`);
  else if (box) {
    const [left, top, w, h] = box;
    const corners = [left, top, left + w, top + h];
    return names.map((category) => ({
      category,
      points: corners,
      form: 'box',
      unit: 'pixels',
      where: { file },
      subject,
    }));
  } else if (outline.length >= 2 && !outline.includes(undefined)) {
    const all = outline.flatMap((point) => point!);
    return names.map((category) => ({
      category,
      points: all,
      form: 'outline',
      unit: 'pixels',
      where: { file },
      subject,
    }));
  } else wrong(`${subject} has neither a "boundingBox" nor "points"`);
  return [];
}
