import { ctw1500, readOffsets } from './ctw1500.js';
import { unquote, type Fields } from './icdarLine.js';
import { continuesOutline, describeFields, isPolygon, isQuoted, UNREADABLE, type Layout } from './layout.js';
import { NATIVE_FORM, readNative, readPolygon } from './totalText.js';

const always = (): boolean => true;

/** The layouts of ground-truth files by name. Where one reading comes first in doubt, it is that of the official script
 *  of ICDAR 2013 or 2015. Sources: rrc.cvc.uab.es for the ICDAR challenges and RCTW-17; totalText.ts; ctw1500.ts. */
export const layouts = {
  icdar2013: fixed(4, 'left,top,right,bottom,"text", or the same separated by blanks'),
  icdar2015: fixed(8, 'x1,y1,…,x4,y4,text'),
  'icdar2017-mlt': scripted('x1,y1,…,x4,y4,script,text', (count) => count === 8, '8 numbers'),
  'icdar2019-art': scripted(
    'x1,y1,…,xn,yn,language,text, or the JSON file of the challenge',
    isPolygon,
    'an even number of coordinates, 8 or more',
  ),
  'rctw-17': {
    form: 'x1,y1,…,x4,y4,difficult,"text"',
    read: readRctw,
    isMarked: ({ rest }) => isQuoted(rest(9)),
  },
  'total-text': { form: 'x1,y1,…,xn,yn,text', read: readPolygon, isNatural: isNaturalPolygon },
  'total-text-native': { form: NATIVE_FORM, read: ({ rest }) => readNative(rest(0)), isMarked: always },
  ctw1500,
  'ctw1500-offsets': {
    form: 'left,top,right,bottom,dx1,dy1,…,dx14,dy14: 14 points that start at left and top',
    read: readOffsets,
    isMarked: always,
  },
  polygons: {
    form: 'x1,y1,…,xn,yn',
    read: (fields) => {
      const { numbers, hasText } = fields;
      if (hasText || !isPolygon(numbers.length))
        return `expected an even number of coordinates, 8 or more, and no text; found ${describeFields(fields)}`;
      return { isRectangle: false, points: numbers, transcription: '', dontCare: false };
    },
  },
} satisfies Record<string, Layout>;

export type LayoutName = keyof typeof layouts;
export const layoutNames = Object.keys(layouts) as LayoutName[];

/** The rules of a layout by its name. */
export const layoutOf = (name: LayoutName): Layout => layouts[name];

/** `count` coordinates, then the transcription, whatever it is. */
function fixed(count: 4 | 8, form: string): Layout {
  return {
    form,
    read: (fields) => {
      const { numbers, rest } = fields;
      if (numbers.length < count) return `expected ${count} numbers, found ${describeFields(fields)}`;
      const transcription = unquote(rest(count));
      const dontCare = transcription === UNREADABLE;
      return { isRectangle: count === 4, points: numbers.slice(0, count), transcription, dontCare };
    },
    isNatural: (fields) => !continuesOutline(fields, count),
  };
}

/** The scripts and languages of ICDAR 2017-MLT, 2019-MLT and 2019-ArT. */
const SCRIPTS = /^(?:arabic|latin|chinese|japanese|korean|bangla|hindi|symbols|mixed|none|others?)$/i;

/** Coordinates, the script or language, and the transcription. */
function scripted(form: string, fits: (count: number) => boolean, wanted: string): Layout {
  const split = ({ numbers, rest }: Fields) => /^\s*(\p{L}+)\s*,(.*)$/su.exec(rest(numbers.length));
  const isKnown = (fields: Fields): boolean => SCRIPTS.test(split(fields)?.[1] ?? '');
  return {
    form,
    read: (fields) => {
      const found = split(fields);
      if (!found || !fits(fields.numbers.length))
        return `expected ${wanted}, then the script and the text; found ${describeFields(fields)}`;
      const transcription = unquote(found[2]!);
      const dontCare = transcription === UNREADABLE;
      return { isRectangle: false, points: fields.numbers, transcription, dontCare };
    },
    isNatural: isKnown,
    isMarked: isKnown,
  };
}

function readRctw(fields: Fields): ReturnType<Layout['read']> {
  const { numbers, rest } = fields;
  const found = /^\s*([01])\s*,(.*)$/s.exec(rest(8));
  if (numbers.length !== 9 || !found)
    return `expected 8 numbers, then 0 or 1 and a text; found ${describeFields(fields)}`;
  const transcription = unquote(found[2]!);
  const dontCare = found[1] === '1' || transcription === UNREADABLE;
  return { isRectangle: false, points: numbers.slice(0, 8), transcription, dontCare };
}

/** A field that is neither a coordinate nor text stands before a text in quotes in other layouts only. */
function isNaturalPolygon(fields: Fields): boolean {
  return fields.numbers.length % 2 === 0 || !continuesOutline(fields, fields.numbers.length - 1);
}
