import * as fc from '../fastCheck.js';
import { damaged } from './damage.js';

/** What must hold after a change, if the folder is read without an error and nothing new is counted:
 *  `same`: all boxes with their classes and marks are as before;
 *  `boxes`: the boxes are as before, but their classes or texts may be others;
 *  `sane`: the boxes lie inside of their images and have classes. */
export type Holds = 'same' | 'boxes' | 'sane';

/** A changed file. */
export interface Changed {
  readonly bytes: Uint8Array;
  readonly what: string;
  readonly holds: Holds;
}

const TEXT = /\.(?:json|jsonl|ndjson|manifest|xml|txt|csv|ya?ml|names|data|ini)$/i;
const isStructured = (file: string): boolean => /\.(?:json|jsonl|ndjson|manifest|xml)$/i.test(file);

/** Numbers that stand alone: not a part of a name or of a version. */
const NUMBER = /(?<![\w.\-+%:#])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.%:])/gi;
/** No numbers, and numbers that no image is large enough for. */
const BAD = [
  'NaN',
  'x',
  '1e999',
  '-1e9',
  '1e9',
  'inf',
  '0x10',
  '--3',
  '99999999999999999999',
  'null',
  '[]',
  '{}',
  '""',
];
const STRING = /(?<=[:[,]\s*)"(?:[^"\\]|\\.)*"(?!\s*:)/g;
const WORDS = ['""', '" "', '7', 'null', '[]', '{}', 'true', '"constructor"', '"__proto__"', '"../../etc/passwd"', '"\\u0000"', `"${'x'.repeat(5000)}"`]; // prettier-ignore
const KEY = /"(?:[^"\\]|\\.)*"(?=\s*:)/g;
const TAG = /<\/?([a-zA-Z_][\w.-]*)/g;
const DEPTH = 20_000;

/** Draws a change of a file of labels, or of an image. */
export function changed(file: string, sound: Uint8Array): fc.Arbitrary<Changed> {
  const bytes = damaged(sound).map((bad): Changed => ({ bytes: bad, what: 'bytes', holds: 'sane' }));
  if (!TEXT.test(file) || sound.length === 0) return bytes;
  const text = new TextDecoder().decode(sound);
  const kinds = textChanges.filter(({ fits }) => fits(file, text));
  const drawn = fc
    .record({ kind: fc.constantFrom(...kinds), at: fc.nat(), pick: fc.nat() })
    .map(({ kind, at, pick }): Changed => {
      const bad = kind.change(text, at, pick);
      return { bytes: typeof bad === 'string' ? Buffer.from(bad) : bad, what: kind.what, holds: kind.holds(file) };
    });
  return fc.oneof({ arbitrary: bytes, weight: 1 }, { arbitrary: drawn, weight: 4 });
}

interface TextChange {
  readonly what: string;
  readonly fits: (file: string, text: string) => boolean;
  readonly holds: (file: string) => Holds;
  readonly change: (text: string, at: number, pick: number) => string | Uint8Array;
}

const always = (): boolean => true;

/** Replaces one of the places of a pattern, if there are any. */
const replaced = (text: string, pattern: RegExp, at: number, by: (found: string) => string): string => {
  const places = [...text.matchAll(pattern)];
  const place = places[at % places.length];
  if (!place) return text;
  return text.slice(0, place.index) + by(place[0]) + text.slice(place.index + place[0].length);
};

const lineChange = (text: string, at: number, by: (line: string) => readonly string[]): string => {
  const lines = text.split('\n');
  const index = at % lines.length;
  return lines.flatMap((line, i) => (i === index ? by(line) : [line])).join('\n');
};

const textChanges: readonly TextChange[] = [
  {
    what: 'a bad number',
    fits: (_, text) => text.search(NUMBER) >= 0,
    holds: () => 'same',
    change: (text, at, pick) => replaced(text, NUMBER, at, () => BAD[pick % BAD.length]!),
  },
  {
    what: 'a missing number',
    fits: (_, text) => text.search(NUMBER) >= 0,
    holds: () => 'same',
    change: (text, at) => replaced(text, NUMBER, at, () => ''),
  },
  {
    what: 'another string',
    fits: (file, text) => /json|manifest/.test(file) && text.search(STRING) >= 0,
    holds: () => 'boxes',
    change: (text, at, pick) => replaced(text, STRING, at, () => WORDS[pick % WORDS.length]!),
  },
  {
    what: 'a misspelt key',
    fits: (file, text) => /json|manifest/.test(file) && text.search(KEY) >= 0,
    holds: () => 'boxes',
    change: (text, at, pick) =>
      replaced(text, KEY, at, (key) => (pick % 4 === 0 ? '"__proto__"' : `${key.slice(0, -1)}_"`)),
  },
  {
    what: 'a misspelt tag',
    fits: (file) => file.endsWith('.xml'),
    holds: () => 'boxes',
    change: (text, at) => {
      const tags = [...text.matchAll(TAG)];
      const [, name] = tags[at % tags.length]!;
      const open = tags.filter(([whole, one]) => one === name && !whole.startsWith('</'));
      const start = open[at % open.length]!.index;
      const renamed = `${text.slice(0, start)}<x${text.slice(start + 1)}`;
      return renamed.slice(0, start) + renamed.slice(start).replace(`</${name}>`, `</x${name}>`);
    },
  },
  {
    what: 'a line dropped',
    fits: always,
    holds: (file) => (/\.json$/.test(file) ? 'boxes' : 'sane'),
    change: (text, at) => lineChange(text, at, () => []),
  },
  {
    what: 'a line repeated',
    fits: always,
    holds: () => 'sane',
    change: (text, at) => lineChange(text, at, (line) => [line, line]),
  },
  {
    what: 'cut off',
    fits: (_, text) => text.length > 1,
    holds: (file) => (/\.(?:json|xml)$/.test(file) ? 'same' : 'sane'),
    change: (text, at) => text.slice(0, at % text.length),
  },
  {
    what: 'nesting without end',
    fits: always,
    holds: () => 'sane',
    change: (text, at, pick) => {
      const open = ['[', '{"a":', '<a>', '(', '- ', '{a: '][pick % 6]!.repeat(DEPTH);
      const place = at % (text.length + 1);
      return text.slice(0, place) + open + text.slice(place);
    },
  },
  {
    what: 'nesting that ends',
    fits: isStructured,
    holds: () => 'sane',
    change: (text, at) => {
      const [open, close] = text.trimStart().startsWith('<') ? ['<a>', '</a>'] : ['[', ']'];
      const pattern = text.trimStart().startsWith('<') ? />[^<]*(?=<\/)/g : NUMBER;
      return replaced(text, pattern, at, (found) =>
        open === '['
          ? `${open.repeat(DEPTH)}${close.repeat(DEPTH)}`
          : `>${open.repeat(DEPTH)}${close.repeat(DEPTH)}${found.slice(1)}`,
      );
    },
  },
  {
    what: 'UTF-16',
    fits: (file) => !/\.(?:jsonl|ndjson|xml)$/.test(file),
    holds: () => 'same',
    change: (text, at) => {
      const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le');
      return at % 2 === 0 ? bytes : bytes.swap16();
    },
  },
  {
    what: 'a byte that is no UTF-8',
    fits: always,
    holds: () => 'same',
    change: (text, at) => {
      const bytes = Buffer.from(text);
      const place = at % (bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, place), Buffer.of(0xe9), bytes.subarray(place)]);
    },
  },
  {
    what: 'other ends of lines',
    fits: always,
    holds: () => 'same',
    change: (text, at) => text.replaceAll(/\r?\n/g, at % 2 === 0 ? '\r\n' : '\r'),
  },
];
