import { drawSection } from '../report/drawSection.js';
import { html, type Html } from '../report/html.js';
import { drawExample } from '../report/overlay.js';
import { page } from '../report/page.js';
import type { Looked } from './lookAt.js';
import { describeSuspect, type LookedAtBoxes, type Suspect } from './suspect.js';

export interface SuspectPageOptions {
  readonly title: string;
  /** Names of the categories, whose places choose the colours. */
  readonly names: readonly string[];
  /** Score from which a detection that is no suspect is drawn. */
  readonly confident: number;
  /** Folders to which the page's paths are relative. */
  readonly roots?: readonly string[];
}

/** Images that are shown at most: the list has the others. */
const MOST_SHOWN = 60;

/** A self-contained page with the images of the first suspects: labels on the left, what the model sees on the right. */
export async function suspectPage(
  suspects: readonly Suspect[],
  looked: Looked,
  { title, names, confident, roots = [] }: SuspectPageOptions,
): Promise<string> {
  const byImage = new Map<string, Suspect[]>();
  for (const suspect of suspects) byImage.set(suspect.file, [...(byImage.get(suspect.file) ?? []), suspect]);
  const shown = [...byImage].slice(0, MOST_SHOWN);
  const lead = html`<p>
    ${suspects.length} suspicious labels on ${byImage.size} of ${looked.images.length} images, of which ${shown.length}
    are shown; the most confident disagreement comes first. The model may be wrong: look before you change a label.
  </p>`;
  return page({ title, lead, roots }, await picturesOf(shown, looked, { names, confident }));
}

async function picturesOf(
  shown: readonly (readonly [file: string, suspects: readonly Suspect[]])[],
  looked: Looked,
  { names, confident }: Pick<SuspectPageOptions, 'names' | 'confident'>,
): Promise<Html> {
  if (looked.task === 'classification') {
    const pictures = shown.flatMap(([file, all]) =>
      all.map((suspect) => ({ file, imageId: suspect.imageId, caption: describeSuspect(suspect) })),
    );
    const text = 'The model finds another class than the label probable.';
    return drawSection({ kind: 'pictures', title: 'Images to look at', text, pictures }, {});
  }
  const images = new Map(looked.images.map((image) => [image.file, image]));
  const figures = [];
  for (const [file, all] of shown) figures.push(await drawImage(images.get(file)!, all, names, confident)); // one after the other, so that one picture is in memory
  return html`<section>
    <h2>Images to look at</h2>
    <p>
      The colour shows the category. A label that nothing was found for, and a detection without a label, is
      <b>dashed</b>. Dotted grey labels are ignored.
    </p>
    ${figures}
  </section>`;
}

function drawImage(
  image: LookedAtBoxes,
  suspects: readonly Suspect[],
  names: readonly string[],
  confident: number,
): Promise<Html> {
  const accused = new Set(suspects.map(({ model }) => model?.box));
  const predictions = image.found.filter(({ box, score }) => score >= confident || accused.has(box));
  const caption = suspects.map(describeSuspect).join('; ');
  return drawExample({ ...image, predictions, error: 0, caption }, names, 0);
}
