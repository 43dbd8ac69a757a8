import { basename } from 'node:path';
import { counted, filesLike, spread, type Detect } from '../detect/detected.js';
import { foldersInParts } from '../detect/parts.js';
import type { ObjectRecord } from './record.js';
import { recordFormat, type RecordFormatName } from './recordFormat.js';
import { textLayout } from './textLayout.js';

/** What a line of a file of labels says: an object; a reason to leave it out, which is counted; or what is wrong. */
export type LineReading =
  | Pick<ObjectRecord, 'category' | 'points' | 'form' | 'mark'>
  | { readonly leftOut: string }
  | { readonly wrong: string };

/** A layout with a text file for each image, and an object in each of its lines. */
export interface LineLayout {
  readonly format: RecordFormatName;
  /** What every line but those to skip looks like. */
  readonly line: RegExp;
  readonly skip?: RegExp;
  /** What the files have, for people. */
  readonly what: string;
  readonly read: (line: string) => LineReading;
}

const LINES = /\r\n|[\n\r]/;

/** How such a layout recognises itself, and how it is read. */
export function lineFormat({ format, line: sound, skip, what, read }: LineLayout) {
  const isLine = (text: string): boolean => text.trim() !== '' && !skip?.test(text);
  const looksRight = (text: string): boolean => {
    const lines = text.split(LINES).filter(isLine).slice(0, 50);
    return lines.length > 0 && lines.every((line) => sound.test(line));
  };
  const detect: Detect = async (listing) => {
    const files = listing.files.filter((file) => /\.txt$/i.test(file));
    const sample = spread(files);
    const alike = await filesLike(listing, sample, looksRight);
    const empty = await filesLike(listing, sample, (text) => text.trim() === '');
    if (alike.length === 0 || alike.length < 0.5 * (sample.length - empty.length)) return undefined;
    const why = `${counted(files.length, 'text file')} ${files.length === 1 ? 'has' : 'have'} ${what}`;
    return { certainty: 0.97, why, ...foldersInParts(files) };
  };
  const open = recordFormat(
    format,
    detect,
    textLayout(
      (path) => /\.txt$/i.test(path),
      (text, { file, wrong, findings }) => {
        const objects = text.split(LINES).flatMap((line, index): ObjectRecord[] => {
          if (!isLine(line)) return [];
          const where = { file, line: index + 1 };
          const found = read(line.trim());
          if ('wrong' in found) wrong(found.wrong, where);
          else if ('leftOut' in found) findings.count(found.leftOut, () => ({ message: line.trim(), where }));
          else return [{ ...found, unit: 'pixels', where, subject: `"${found.category.slice(0, 60)}"` }];
          return [];
        });
        return { images: [{ name: basename(file).replace(/\.txt$/i, ''), isStem: true, objects, where: { file } }] };
      },
    ),
  );
  return { detect, open };
}
