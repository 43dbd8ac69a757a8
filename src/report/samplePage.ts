import { rowOf } from '../geometry/box.js';
import { dirname } from 'node:path';
import sharp from 'sharp';
import type { Dataset, Sample } from '../data/sample.js';
import { loadTrainingSample, type TrainingSampleOptions } from '../data/pipeline/trainingSample.js';
import { FinetuneError } from '../errors.js';
import { makeFolder } from '../files/folders.js';
import { writeAtomically } from '../files/writeAtomically.js';
import { randomStream } from '../random.js';
import { imageName } from './imageName.js';
import { html, type Html } from './html.js';
import { page } from './page.js';
import { drawBoxes } from './overlay.js';

export interface SamplePageOptions extends Omit<TrainingSampleOptions, 'draw' | 'epoch'> {
  readonly epochs: number;
  /** Number of images to show. */
  readonly images?: number;
  /** Number of augmented versions of each image, from epochs spread over the training. */
  readonly draws?: number;
}

/** Write a page with images as the model sees them: first as in validation, then several augmented versions, all with
 *  their boxes. The page is self-contained and written atomically; its folder is made if needed. */
export async function writeSamplePage(
  dataset: Dataset,
  { images = 12, draws = 5, epochs, ...options }: SamplePageOptions,
  file: string,
): Promise<void> {
  const { annotations, categories, name } = dataset;
  const names = categories.map((category) => category.name);
  // Images with objects come first, since they show more.
  const order = randomStream(options.seed ?? 0, 'sample page').shuffle([...annotations.keys()]);
  const shown = order.sort((a, b) => Number(hasObjects(dataset, b)) - Number(hasObjects(dataset, a))).slice(0, images);
  const epochsShown = Array.from({ length: draws }, (_, i) => Math.floor((i * epochs) / draws));
  const rows: Html[] = [];
  for (const index of shown) {
    const panels = [await panel(dataset, index, { ...options, augment: false }, 'without augmentation', names)];
    if (options.augment !== false)
      for (const [i, epoch] of epochsShown.entries())
        panels.push(
          await panel(dataset, index, { ...options, epoch, epochs, draw: `/look ${i}` }, `epoch ${epoch + 1}`, names),
        );
    rows.push(
      html`<figure>
        <figcaption><b>${imageName(annotations[index]!)}</b></figcaption>
        <div class="draws">${panels}</div>
      </figure>`,
    );
  }
  const [height, width] = options.size;
  const lead = html`<p>
    ${shown.length} of ${annotations.length} images at ${width}×${height}: without augmentation, and augmented as in
    some of the epochs. Dotted grey objects are ignored: crowds, difficult objects, and objects that are too small or
    too hidden to learn.
  </p>`;
  await makeFolder(dirname(file));
  await writeAtomically(file, page({ title: `What the model sees of ${name}`, lead }, ...rows));
}

const hasObjects = ({ annotations }: Dataset, index: number): boolean => annotations[index]!.classes.length > 0;

async function panel(
  dataset: Dataset,
  index: number,
  options: TrainingSampleOptions,
  title: string,
  names: readonly string[],
): Promise<Html> {
  try {
    const sample = await loadTrainingSample(dataset, index, options);
    return html`<div>
      <h4>${title}</h4>
      ${await drawSample(sample, names)}
    </div>`;
  } catch (error) {
    if (!(error instanceof FinetuneError)) throw error;
    return html`<div>
      <h4>${title}</h4>
      <p class="bad">${error.problems[0]!.message}</p>
    </div>`;
  }
}

async function drawSample({ picture, boxes, classes, ignore }: Sample, names: readonly string[]): Promise<Html> {
  const { data, width, height } = picture;
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 80 })
    .toBuffer();
  const drawn = classes.map((classIndex, i) => {
    const label = names[classIndex]!;
    const [x1, y1, x2, y2] = rowOf(boxes, i);
    return {
      box: [x1, y1, x2, y2] as const,
      label,
      text: ignore[i] ? `${label} (ignored)` : label,
      line: ignore[i] ? ('dotted' as const) : ('solid' as const),
    };
  });
  return html`<svg viewBox="0 0 ${width} ${height}" role="img">
    <image href="data:image/jpeg;base64,${jpeg.toString('base64')}" width="${width}" height="${height}" />
    ${drawBoxes(drawn, names, 1, { width, height })}
  </svg>`;
}
