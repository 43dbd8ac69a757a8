import type { Dataset, PartName } from '../sample.js';
import type { Say } from './remark.js';

/** Number of words from which it is no accident that all of them read the same. */
const MANY = 20;

/** Report transcriptions that look made up: a text detector derives the characters' boxes from the number of letters.
 *  Words with known character boxes do not count. */
export function checkWords(part: PartName, { annotations }: Dataset, say: Say): void {
  const real = annotations
    .flatMap((annotation) => (annotation.kind === 'text' ? annotation.words : []))
    .filter(({ characters, confidence }) => !characters || confidence !== undefined);
  const readable = real.filter(({ text, dontCare }) => !dontCare && text !== '');
  const first = readable[0]?.text;
  if (readable.length < MANY || readable.some(({ text }) => text !== first)) return;
  say({
    level: 'warning',
    part,
    code: 'W_TEXT_SAME',
    message: `all ${readable.length} words in ${part} read "${first}": this does not look like a transcription, so the number of their characters is unknown`,
    fix: 'set data.transcriptions: false',
  });
}
