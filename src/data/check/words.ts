import type { Dataset, PartName } from '../sample.js';
import type { Say } from './remark.js';

/** So many words that all read the same are no accident. */
const MANY = 20;

/** Say where transcriptions look made up: the number of their letters is what a text detector learns characters by. Drawn words do not count. */
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
    message: `all ${readable.length} words in ${part} read "${first}": how many characters they have is not known`,
    fix: 'set data.transcriptions: false',
  });
}
