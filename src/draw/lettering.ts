/** A character's shape in units of the em: y points down, and the baseline is y = 0. */
export interface Letter {
  readonly advance: number;
  /** Closed contours x1, y1, x2, y2, …. */
  readonly contours: readonly ArrayLike<number>[];
}

/** A font: the shapes of the characters that it has. */
export interface LetterFont {
  glyph(character: string): Letter | undefined;
}

/** Writes texts on one drawing, as SVG. Shapes come from fonts that the program brings, since a machine may have none. A
 *  text with a character that none of these fonts has is written in a font of the reader's system. */
export interface Lettering {
  /** Width of a text, in units of its size. */
  width(text: string): number;
  /** The text with its baseline beginning at x, y; `size` in pixels. */
  write(
    text: string,
    at: { readonly x: number; readonly y: number; readonly size: number; readonly fill: string },
  ): string;
  /** The shapes of all that was written: they stand once in the drawing. */
  definitions(): string;
}

/** Units of a shape's path per em: whole numbers are precise enough up to 200 pixels. */
const UNITS = 200;
/** Width of a character that no font has, em: Chinese ones are that wide, and few others are wider. */
const UNKNOWN_WIDTH = 1;

export function createLettering(fonts: readonly LetterFont[]): Lettering {
  const letters = new Map<string, { readonly id: string; readonly letter: Letter }>();
  const letterOf = (character: string) => {
    const known = letters.get(character);
    if (known) return known;
    const letter = fonts.map((font) => font.glyph(character)).find((glyph) => glyph !== undefined);
    if (!letter) return undefined;
    const made = { id: `l${letters.size}`, letter };
    letters.set(character, made);
    return made;
  };
  const isKnown = (text: string): boolean => Array.from(text).every((character) => letterOf(character));
  return {
    width(text) {
      return Array.from(text).reduce((sum, one) => sum + (letterOf(one)?.letter.advance ?? UNKNOWN_WIDTH), 0);
    },
    write(text, { x, y, size, fill }) {
      if (!isKnown(text)) return systemText(text, { x, y, size, fill });
      let right = x;
      const used = Array.from(text, (character) => {
        const { id, letter } = letterOf(character)!;
        const place = `translate(${right.toFixed(1)} ${y.toFixed(1)}) scale(${(size / UNITS).toFixed(4)})`;
        right += letter.advance * size;
        return letter.contours.length === 0 ? '' : `<use href="#${id}" transform="${place}"/>`;
      });
      return `<g fill="${fill}">${used.join('')}</g>`;
    },
    definitions() {
      const paths = [...letters.values()].map(({ id, letter }) => `<path id="${id}" d="${pathOf(letter)}"/>`);
      return `<defs>${paths.join('')}</defs>`;
    },
  };
}

function pathOf({ contours }: Letter): string {
  const point = (contour: ArrayLike<number>, i: number): string =>
    `${Math.round(contour[i]! * UNITS)} ${Math.round(contour[i + 1]! * UNITS)}`;
  return contours
    .map((contour) => {
      const points = Array.from({ length: contour.length / 2 }, (_, i) => point(contour, 2 * i));
      return `M${points.join('L')}Z`;
    })
    .join('');
}

function systemText(text: string, { x, y, size, fill }: Parameters<Lettering['write']>[1]): string {
  const place = `x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" fill="${fill}"`;
  return `<text ${place} font-family="sans-serif" font-weight="bold">${escaped(text)}</text>`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
/** XML has no place for control characters, whatever their escape. */
const escaped = (text: string): string =>
  text.replace(/[\p{Cc}\p{Surrogate}\ufffe\uffff]/gu, '\ufffd').replace(/[&<>]/g, (character) => ESCAPES[character]!);

/** The text, or its beginning and an ellipsis, so that it is no wider than `most` ems. */
export function fitText(text: string, most: number, { width }: Pick<Lettering, 'width'>): string {
  if (width(text) <= most) return text;
  const characters = Array.from(text);
  while (characters.length > 1 && width(`${characters.join('')}…`) > most) characters.pop();
  return `${characters.join('')}…`;
}
