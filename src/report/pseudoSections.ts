import { basename, join } from 'node:path';
import sharp from 'sharp';
import { frameImage } from '../data/image/frame.js';
import { decodeImage } from '../data/image/image.js';
import { ofKind, type Dataset } from '../data/sample.js';
import { makeFolder } from '../files/folders.js';
import { cropSize, rectify } from '../data/pipeline/wordSheet.js';
import type { PicturesSection, Section } from '../tasks/section.js';
import { roundShares, type PseudoLabel, type PseudoRound } from '../train/pseudoLabels.js';

/** Height of a word in the gallery, pixels. */
const ACROSS = 64;
const MOST: readonly [number, number] = [480, 480];

/** Sections on weak supervision: how well the characters were found, round by round, and the words of the last round
 *  with the lowest confidence, with the characters' boxes on them (`pseudo/*.png` in the run directory). */
export async function pseudoSections(
  rounds: readonly PseudoRound[],
  { annotations }: Pick<Dataset, 'annotations'>,
  { directory, words }: { readonly directory: string; readonly words: number },
): Promise<Section[]> {
  const last = rounds.at(-1);
  if (!last) return [];
  const worst = [...last.labels].sort((a, b) => a.confidence - b.confidence || wrong(b) - wrong(a)).slice(0, words);
  await makeFolder(join(directory, 'pseudo'));
  const pictures: PicturesSection['pictures'][number][] = [];
  for (const label of worst) {
    const annotation = annotations[label.image]!;
    const { text, outline } = ofKind(annotation, 'text').words[label.word]!;
    const file = join(directory, 'pseudo', `word-${label.image}-${label.word}.png`);
    const drawn = await drawWord(annotation, outline, label, file).catch(() => false); // a report must not fail at the end of a long run
    const how = label.isSplit ? 'cut equally' : `confidence ${label.confidence.toFixed(2)}`;
    if (drawn)
      pictures.push({ file, imageId: basename(annotation.file), caption: `“${text}”: ${label.found} found, ${how}` });
  }
  return [
    {
      kind: 'numbers',
      title: 'Characters found by the model',
      text: `The training part has ${last.labels.length} words without character boxes. Before each round's epoch, the model itself finds their characters.`,
      rows: rounds.map((round) => {
        const { confidence, exact, split } = roundShares(round);
        const numbers = [
          ['confidence', confidence],
          ['as many as letters', exact],
          ['cut equally', split],
        ] as const;
        return { name: `before epoch ${round.epoch + 1}`, numbers };
      }),
      note: 'Confidence: the mean over the words; it is also their weight in the loss. “As many as letters”: share of the words in which as many characters were found as the transcription has. “Cut equally”: share of the words in which half of the letters or more were wrong; these are cut into equal parts, and count half.',
    },
    {
      kind: 'pictures',
      title: 'Words with the lowest confidence',
      text: 'Rectified words of the last round, with the character boxes from which the model learns.',
      pictures,
    },
  ];
}

const wrong = ({ length, found }: PseudoLabel): number => Math.abs(length - found);

async function drawWord(
  { file: source, width, height }: Dataset['annotations'][number],
  outline: readonly number[],
  { boxes }: PseudoLabel,
  file: string,
): Promise<boolean> {
  const picture = await decodeImage(source, frameImage({ width, height }, { size: [height, width] }));
  const crop = rectify(picture, outline, { ...cropSize(outline, ACROSS, MOST), margin: 0 });
  if (!crop) return false;
  const rectangles = boxes.map(([l, t, r, b]) => {
    const [x, y, w, h] = [l * crop.width, t * crop.height, (r - l) * crop.width, (b - t) * crop.height];
    return `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="#e6194b" stroke-width="2"/>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${crop.width}" height="${crop.height}">${rectangles.join('')}</svg>`;
  await sharp(crop.data, { raw: { width: crop.width, height: crop.height, channels: 3 } })
    .composite([{ input: Buffer.from(svg) }])
    .png()
    .toFile(file);
  return true;
}
