import { CocoError } from './errors.js';
import type { Runs } from './rle.js';

const FIRST_CHARACTER = 48; // '0', the first of 64 characters: five bits, and one that tells whether another group follows
const LAST_CHARACTER = FIRST_CHARACTER + 63;

/** Compresses run lengths: from the fourth on as differences to the run before the last, each as signed 5-bit groups,
 *  least significant first. maskApi.c, rleToString. */
export function runsToString({ counts }: Runs): string {
  const bytes: number[] = [];
  for (let i = 0; i < counts.length; i++) {
    let x = i > 2 ? counts[i]! - counts[i - 2]! : counts[i]!;
    for (let more = true; more;) {
      const group = x & 31;
      x = Math.floor(x / 32); // an arithmetic shift that also works beyond 32 bits
      more = group & 16 ? x !== -1 : x !== 0;
      bytes.push((more ? group | 32 : group) + FIRST_CHARACTER);
    }
  }
  return asciiString(bytes);
}

/** Decompresses run lengths. maskApi.c, rleFrString.
 *  Throws E_COCO_RLE at a character outside the alphabet, an unfinished group, or a negative run. */
export function runsFromString(text: string, height: number, width: number): Runs {
  const counts = new Float64Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length;) {
    let x = 0;
    let scale = 1;
    let more = true;
    while (more) {
      const character = text.charCodeAt(at);
      if (!(character >= FIRST_CHARACTER && character <= LAST_CHARACTER)) {
        const what = at < text.length ? `character ${JSON.stringify(text[at])} at ${at}` : 'it ends inside a number';
        throw new CocoError({ code: 'E_COCO_RLE', message: `not a compressed run-length code: ${what}` });
      }
      const group = character - FIRST_CHARACTER;
      x += (group & 31) * scale;
      scale *= 32;
      more = (group & 32) !== 0;
      if (!more && group & 16) x -= scale;
      at++;
    }
    if (length > 2) x += counts[length - 2]!;
    if (!(x >= 0 && x <= 0xffffffff)) {
      throw new CocoError({ code: 'E_COCO_RLE', message: `run ${length} of a compressed run-length code is ${x}` });
    }
    counts[length++] = x;
  }
  return { height, width, counts: Uint32Array.from(counts.subarray(0, length)) };
}

function asciiString(bytes: readonly number[]): string {
  const CHUNK = 8192; // number of arguments of one call
  let text = '';
  for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode(...bytes.slice(i, i + CHUNK));
  return text;
}
