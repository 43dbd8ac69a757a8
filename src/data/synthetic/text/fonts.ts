import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import opentype, { type Font, type PathCommand } from 'opentype.js';

export type Script = 'latin' | 'cyrillic' | 'greek' | 'hebrew' | 'hangul';

/** A font file and the scripts that it has. All fonts are from @fontsource (OFL-1.1 or Apache-2.0), so no system font
 *  is needed. */
export interface FontFile {
  readonly family: string;
  /** The file's name without the family and `.woff`. */
  readonly style: string;
  readonly scripts: readonly Script[];
}

const latin = (family: string, style = 'latin-400-normal'): FontFile => ({ family, style, scripts: ['latin'] });
const other = (family: string, script: Script, style: string): FontFile => ({ family, style, scripts: [script] });

/** Fonts as shops, signs and screens use them, from plain to fancy. */
const files: readonly FontFile[] = [
  latin('arimo'),
  latin('arimo', 'latin-700-normal'),
  latin('arimo', 'latin-500-italic'),
  latin('tinos'),
  latin('tinos', 'latin-700-normal'),
  latin('tinos', 'latin-400-italic'),
  latin('oswald', 'latin-300-normal'),
  latin('oswald', 'latin-600-normal'),
  latin('pt-serif', 'latin-700-normal'),
  latin('courier-prime'),
  latin('courier-prime', 'latin-700-normal'),
  latin('fjalla-one'),
  latin('archivo-black'),
  latin('anton'),
  latin('bebas-neue'),
  latin('staatliches'),
  latin('patua-one'),
  latin('alfa-slab-one'),
  latin('abril-fatface'),
  latin('cormorant-sc', 'latin-600-normal'),
  latin('russo-one'),
  latin('righteous'),
  latin('orbitron', 'latin-700-normal'),
  latin('special-elite'),
  latin('permanent-marker'),
  latin('bangers'),
  latin('lobster'),
  latin('pacifico'),
  latin('kaushan-script'),
  latin('satisfy'),
  latin('suez-one'),
  latin('vt323'),
  other('arimo', 'cyrillic', 'cyrillic-400-normal'),
  other('arimo', 'cyrillic', 'cyrillic-700-normal'),
  other('tinos', 'cyrillic', 'cyrillic-400-normal'),
  other('oswald', 'cyrillic', 'cyrillic-500-normal'),
  other('russo-one', 'cyrillic', 'cyrillic-400-normal'),
  other('arimo', 'greek', 'greek-700-normal'),
  other('tinos', 'greek', 'greek-400-normal'),
  other('arimo', 'hebrew', 'hebrew-700-normal'),
  other('suez-one', 'hebrew', 'hebrew-400-normal'),
  other('do-hyeon', 'hangul', '118-400-normal'),
];

/** A character's shape in units of the em: y points down, and the baseline is y = 0. */
export interface Glyph {
  readonly advance: number;
  /** Closed contours x1, y1, x2, y2, …; curves are cut into lines. */
  readonly contours: readonly Float32Array[];
  /** Bounds of the ink: x1, y1, x2, y2; undefined if there is none. */
  readonly ink: readonly [number, number, number, number] | undefined;
}

/** A font; its glyphs are made on first use. */
export interface Face {
  readonly name: string;
  readonly scripts: readonly Script[];
  /** Height of a lower-case x (or of a letter, if the script has only one case), em. */
  readonly xHeight: number;
  /** The glyph of a character; undefined if the font does not have it. */
  glyph(character: string): Glyph | undefined;
  /** Kerning: what is added between two characters, em. */
  kerning(left: string, right: string): number;
}

let loaded: Promise<readonly Face[]> | undefined;

/** Reads all fonts, once for a process. */
export function loadFaces(): Promise<readonly Face[]> {
  return (loaded ??= Promise.all(files.map(loadFace)));
}

/** Reads one font. */
export async function loadFace({ family, style, scripts }: FontFile): Promise<Face> {
  const name = `${family}-${style}`;
  const file = createRequire(import.meta.url).resolve(`@fontsource/${family}/files/${name}.woff`);
  const bytes = await readFile(file);
  const font = opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const glyphs = new Map<string, Glyph | undefined>();
  const glyph = (character: string): Glyph | undefined => {
    if (!glyphs.has(character)) glyphs.set(character, makeGlyph(font, character));
    return glyphs.get(character);
  };
  const samples = ['x', 'х', 'χ', 'ם', '가'].flatMap((letter) => glyph(letter)?.ink ?? []);
  return {
    name,
    scripts,
    xHeight: samples.length > 0 ? -samples[1]! : 0.5,
    glyph,
    kerning: (left, right) => font.getKerningValue(font.charToGlyph(left), font.charToGlyph(right)) / font.unitsPerEm,
  };
}

/** Number of lines that replace a curve: at 150 pixels per em the error stays below a quarter of a pixel. */
const SEGMENTS = 5;

function makeGlyph(font: Font, character: string): Glyph | undefined {
  if (font.charToGlyphIndex(character) === 0) return undefined;
  const { path, advanceWidth = 0 } = font.charToGlyph(character);
  const contours = flatten(path.commands, 1 / font.unitsPerEm);
  return { advance: advanceWidth / font.unitsPerEm, contours, ink: inkOf(contours) };
}

function flatten(commands: readonly PathCommand[], scale: number): Float32Array[] {
  const contours: Float32Array[] = [];
  let points: number[] = [];
  let [x, y] = [0, 0];
  const to = (px: number, py: number): void => {
    points.push(px * scale, -py * scale);
    [x, y] = [px, py];
  };
  for (const command of commands) {
    const [x0, y0] = [x, y];
    if (command.type === 'M') {
      points = [];
      to(command.x, command.y);
    } else if (command.type === 'L') to(command.x, command.y);
    else if (command.type === 'Z') {
      if (points.length > 4) contours.push(Float32Array.from(points));
      points = [];
    } else {
      for (let i = 1; i <= SEGMENTS; i++) {
        const t = i / SEGMENTS;
        const u = 1 - t;
        if (command.type === 'Q') {
          const { x1, y1 } = command;
          to(u * u * x0 + 2 * u * t * x1 + t * t * command.x, u * u * y0 + 2 * u * t * y1 + t * t * command.y);
        } else {
          const [a, b, c, d] = [u ** 3, 3 * u * u * t, 3 * u * t * t, t ** 3];
          const { x1, y1, x2, y2 } = command;
          to(a * x0 + b * x1 + c * x2 + d * command.x, a * y0 + b * y1 + c * y2 + d * command.y);
        }
      }
    }
  }
  return contours;
}

function inkOf(contours: readonly Float32Array[]): Glyph['ink'] {
  if (contours.length === 0) return undefined;
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const contour of contours) {
    for (let i = 0; i < contour.length; i += 2) {
      box[0] = Math.min(box[0], contour[i]!);
      box[1] = Math.min(box[1], contour[i + 1]!);
      box[2] = Math.max(box[2], contour[i]!);
      box[3] = Math.max(box[3], contour[i + 1]!);
    }
  }
  return box;
}
