import { loadFace } from '../../data/synthetic/text/fonts.js';
import type { LetterFont } from '../../draw/lettering.js';

/** Parts of the font for labels, each a file. Writing from right to left is left to the fonts of the system. */
const PARTS = ['latin', 'latin-ext', 'vietnamese', 'cyrillic', 'cyrillic-ext', 'greek', 'greek-ext'];

let loaded: Promise<readonly LetterFont[]> | undefined;

/** The font of the labels: Arimo in bold, which comes with the package. It is read once. */
export function loadLabelFonts(): Promise<readonly LetterFont[]> {
  return (loaded ??= Promise.all(
    PARTS.map((part) => loadFace({ family: 'arimo', style: `${part}-700-normal`, scripts: [] })),
  ));
}
