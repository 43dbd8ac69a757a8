import { FinetuneError } from '../../../errors.js';
import { UNREADABLE } from './layout.js';

/** The lines of each image in the JSON file of ICDAR 2019-ArT or LSVT, in the form x1,y1,…,xn,yn,language,text.
 *  Throws E_ICDAR_FILE. */
export function linesOfArt(text: string, file: string): { readonly name: string; readonly lines: readonly string[] }[] {
  const wrong = (message: string, cause?: unknown) =>
    new FinetuneError(
      {
        code: 'E_ICDAR_FILE',
        message,
        where: { file },
        fix: 'a JSON file of ground truth has {"gt_1": [{"points": [[x, y], …], "transcription": "text", "language": "Latin", "illegibility": false}]}',
      },
      { cause },
    );
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw wrong(`cannot be read as JSON: ${(error as Error).message}`, error);
  }
  if (!isMap(content)) throw wrong('the file is not a map of images');
  return Object.entries(content).map(([name, words]) => {
    if (!Array.isArray(words)) throw wrong(`"${name}" has no list of words`);
    const lines = words.map((word: unknown, i) => {
      const line = isMap(word) ? lineOf(word) : undefined;
      if (line === undefined) throw wrong(`word ${i + 1} of "${name}" has no points`);
      return line;
    });
    return { name, lines };
  });
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function lineOf({ points, transcription, language, illegibility }: Readonly<Record<string, unknown>>) {
  const numbers: unknown[] = Array.isArray(points) ? points.flat() : [];
  if (numbers.length === 0 || !numbers.every((value) => typeof value === 'number')) return undefined;
  const written = typeof transcription === 'string' ? transcription.replace(/\s+/g, ' ') : '';
  const script = typeof language === 'string' && language !== '' ? language : 'None';
  return `${numbers.join(',')},${script},${illegibility === true ? UNREADABLE : written}`;
}
