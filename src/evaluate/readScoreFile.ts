import { stat } from 'node:fs/promises';
import { CocoError, loadJson, parseJson } from '../pycocotools/index.js';
import { LONGEST_TEXT, readCocoText } from '../data/formats/cocoJson.js';
import { fromCocoError } from './fromCocoError.js';

/** Parse a JSON file of annotations or results to score, in UTF-8 or UTF-16; ids beyond 2^53 become texts. A file larger than `most` bytes is read in pieces,
 *  and must be UTF-8. Throws E_COCO_FILE, E_ENCODING, or E_COCO_JSON / E_COCO_NUMBER at the line and column. */
export async function readScoreFile(file: string, most = LONGEST_TEXT): Promise<unknown> {
  try {
    const { size } = await stat(file).catch(() => ({ size: 0 }));
    if (size > most) return await loadJson(file, { stream: true });
    const text = await readCocoText(file);
    try {
      return JSON.parse(text);
    } catch {
      return parseJson(Buffer.from(text)); // it says where the text is wrong
    }
  } catch (error) {
    throw error instanceof CocoError ? fromCocoError(error, file) : error;
  }
}
