import type { RandomStream } from '../../../random.js';
import type { Face, Glyph, Script } from './fonts.js';
import { drawWord } from './vocabulary.js';

/** x1, y1, x2, y2 on the plane of the text, pixels. */
export type Rect = readonly [number, number, number, number];

export interface PlacedGlyph {
  readonly glyph: Glyph;
  /** Its origin on the plane. */
  readonly x: number;
  readonly y: number;
  /** The character's box in the annotation: its ink, but at least as high as an x and a fifth of the em wide. */
  readonly cell: Rect;
}

export interface PlacedWord {
  readonly text: string;
  readonly glyphs: readonly PlacedGlyph[];
  readonly box: Rect;
}

/** Some lines of text, centred about 0 on a plane. */
export interface Block {
  readonly words: readonly PlacedWord[];
  readonly box: Rect;
  /** Pixels per em. */
  readonly size: number;
  /** Whether it is one line that is read from left to right, and so may be bent. */
  readonly isLine: boolean;
}

/** Minimum width of a character's cell, em, so that an l or a full stop is not too narrow. */
const LEAST_WIDTH = 0.2;

type Form = 'word' | 'line' | 'paragraph' | 'vertical';

/** Draw the text of a block and lay it out with the font. Undefined if the font lacks one of its characters. */
export function drawBlock(random: RandomStream, face: Face, script: Script): Block | undefined {
  const chosen = random.next();
  const form: Form = chosen < 0.42 ? 'word' : chosen < 0.68 ? 'line' : chosen < 0.95 ? 'paragraph' : 'vertical';
  const size = form === 'paragraph' ? logUniform(random, 11, 44) : logUniform(random, 12, form === 'word' ? 170 : 90);
  const spacing = size * (random.chance(0.15) ? random.uniform(0.08, 0.35) : random.normal() * 0.02);
  const lines = drawLines(random, form, script);
  const set = { face, size, spacing };
  const leading = size * random.uniform(1.05, 1.6);
  const align = random.integer(0, 3); // left, centre, right
  const words: PlacedWord[] = [];
  for (const [row, line] of lines.entries()) {
    const placed = form === 'vertical' ? setVertically(line[0]!, set) : setLine(line, set);
    if (!placed) return undefined;
    const width = Math.max(...placed.map(({ box }) => box[2]));
    words.push(...placed.map((word) => moved(word, (-width * align) / 2, row * leading)));
  }
  const [x1, y1, x2, y2] = around(words.map(({ box }) => box));
  const centred = words.map((word) => moved(word, -(x1 + x2) / 2, -(y1 + y2) / 2));
  const half = [(x2 - x1) / 2, (y2 - y1) / 2] as const;
  return {
    words: centred,
    box: [-half[0], -half[1], half[0], half[1]],
    size,
    isLine: lines.length === 1 && form !== 'vertical',
  };
}

const logUniform = (random: RandomStream, low: number, high: number): number => low * (high / low) ** random.next();

function drawLines(random: RandomStream, form: Form, script: Script): string[][] {
  const line = (count: number): string[] => Array.from({ length: count }, () => drawWord(random, script));
  if (form === 'word' || form === 'vertical') return [line(1)];
  if (form === 'line') return [line(random.integer(2, 5))];
  return Array.from({ length: random.integer(2, 6) }, () => line(random.integer(1, 6)));
}

interface Setting {
  readonly face: Face;
  /** Pixels per em. */
  readonly size: number;
  /** Pixels between characters beyond the font's own. */
  readonly spacing: number;
}

/** Lays out words in one line that begins at x = 0, with the baseline y = 0. */
function setLine(line: readonly string[], { face, size, spacing }: Setting): PlacedWord[] | undefined {
  let x = 0;
  const words: PlacedWord[] = [];
  for (const text of line) {
    const glyphs: PlacedGlyph[] = [];
    let last = '';
    for (const character of text) {
      const glyph = face.glyph(character);
      if (!glyph?.ink) return undefined;
      if (last) x += face.kerning(last, character) * size + spacing;
      glyphs.push({ glyph, x, y: 0, cell: cellOf(glyph, face, size, x, 0) });
      x += glyph.advance * size;
      last = character;
    }
    words.push(wordOf(text, glyphs));
    x += size * 0.28 + Math.max(0, spacing) * 2;
  }
  return words;
}

/** Lays out upright characters one below the other. */
function setVertically(text: string, { face, size, spacing }: Setting): PlacedWord[] | undefined {
  const glyphs: PlacedGlyph[] = [];
  let y = 0;
  for (const character of text.toUpperCase()) {
    const glyph = face.glyph(character);
    if (!glyph?.ink) return undefined;
    const x = (-glyph.advance * size) / 2;
    glyphs.push({ glyph, x, y, cell: cellOf(glyph, face, size, x, y) });
    y += size * 0.95 + spacing;
  }
  return [wordOf(text.toUpperCase(), glyphs)];
}

function cellOf({ ink }: Glyph, face: Face, size: number, x: number, y: number): Rect {
  const [x1, y1, x2, y2] = ink!;
  const lacking = Math.max(0, LEAST_WIDTH - (x2 - x1)) / 2;
  return [
    x + (x1 - lacking) * size,
    y + Math.min(y1, -face.xHeight) * size,
    x + (x2 + lacking) * size,
    y + Math.max(y2, 0) * size,
  ];
}

const wordOf = (text: string, glyphs: readonly PlacedGlyph[]): PlacedWord => ({
  text,
  glyphs,
  box: around(glyphs.map(({ cell }) => cell)),
});

const around = (boxes: readonly Rect[]): Rect => [
  Math.min(...boxes.map((box) => box[0])),
  Math.min(...boxes.map((box) => box[1])),
  Math.max(...boxes.map((box) => box[2])),
  Math.max(...boxes.map((box) => box[3])),
];

const shifted = ([x1, y1, x2, y2]: Rect, dx: number, dy: number): Rect => [x1 + dx, y1 + dy, x2 + dx, y2 + dy];

const moved = ({ text, glyphs, box }: PlacedWord, dx: number, dy: number): PlacedWord => ({
  text,
  glyphs: glyphs.map(({ glyph, x, y, cell }) => ({ glyph, x: x + dx, y: y + dy, cell: shifted(cell, dx, dy) })),
  box: shifted(box, dx, dy),
});
