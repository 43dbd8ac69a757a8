import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { finetune } from '../../src/finetune.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { randomStream, type RandomStream } from '../../src/random.js';
import { smallBackbone } from './trainShapes.js';

/** Side of the drawn images, and of the input: nothing is resized. */
const SIDE = 128;
/** Columns of a letter and of the gap behind it, rows of a letter, and pixels of one of its dots. */
const [COLUMNS, GAP, ROWS, DOT] = [5, 1, 7, 3];

/** Letters as dots, row after row. */
const LETTERS: Readonly<Record<string, string>> = {
  A: '01110 10001 10001 11111 10001 10001 10001',
  E: '11111 10000 10000 11110 10000 10000 11111',
  H: '10001 10001 10001 11111 10001 10001 10001',
  N: '10001 11001 10101 10101 10011 10001 10001',
  O: '01110 10001 10001 10001 10001 10001 01110',
  S: '01111 10000 10000 01110 00001 00001 11110',
};

interface Word {
  readonly text: string;
  readonly left: number;
  readonly top: number;
}
const widthOf = (text: string): number => (text.length * (COLUMNS + GAP) - GAP) * DOT;

function drawWord(pixels: Uint8Array, { text, left, top }: Word): void {
  for (const [place, letter] of Array.from(text).entries())
    for (const [row, dots] of LETTERS[letter]!.split(' ').entries())
      for (let column = 0; column < COLUMNS; column++) {
        if (dots[column] === '0') continue;
        const x = left + (place * (COLUMNS + GAP) + column) * DOT;
        for (let y = top + row * DOT; y < top + (row + 1) * DOT; y++)
          pixels.fill(20, (y * SIDE + x) * 3, (y * SIDE + x + DOT) * 3);
      }
}

/** Words of three to five letters, each in a row of its own. */
function drawWords(random: RandomStream): readonly Word[] {
  const tops = [4, 44, 84].filter(() => random.chance(0.8));
  return tops.map((top): Word => {
    const letters = Object.keys(LETTERS);
    const text = Array.from({ length: random.integer(3, 6) }, () => letters[random.integer(0, letters.length)]!).join(
      '',
    );
    return { text, left: random.integer(2, SIDE - widthOf(text) - 2), top: top + random.integer(0, 9) };
  });
}

/** Draws images with words into a folder, and their ground truth as ICDAR 2015 has it. */
async function drawPart(folder: string, count: number): Promise<void> {
  await mkdir(join(folder, 'images'), { recursive: true });
  await mkdir(join(folder, 'truth'));
  for (let i = 0; i < count; i++) {
    const random = randomStream(i, folder.split('/').at(-1)!);
    const pixels = Uint8Array.from({ length: SIDE * SIDE * 3 }, () => 200 + random.integer(-20, 21));
    const words = drawWords(random);
    for (const word of words) drawWord(pixels, word);
    const lines = words.map(({ text, left, top }) => {
      const [right, bottom] = [left + widthOf(text), top + ROWS * DOT];
      return `${[left, top, right, top, right, bottom, left, bottom].join()},${text}\n`;
    });
    await writeFile(join(folder, 'truth', `gt_${i}.txt`), lines.join(''));
    const raw = { width: SIDE, height: SIDE, channels: 3 } as const;
    await sharp(pixels, { raw })
      .png()
      .toFile(join(folder, 'images', `${i}.png`));
  }
}

/** Trains a small text detector on words that are drawn into `folder`, and returns its run. */
export async function trainWords(folder: string): Promise<string> {
  await drawPart(join(folder, 'train'), 96);
  await drawPart(join(folder, 'val'), 16);
  const part = (name: string) => `{ images: ${name}/images, truth: ${name}/truth }`;
  const text = `
task: text
data: { format: icdar, layout: icdar2015, root: ${folder}, train: ${part('train')}, val: ${part('val')}, characters: split, size: ${SIDE}, evaluateSize: ${SIDE}, augment: false }
model: { head: craft-lite, backbone: ${smallBackbone} }
train: { epochs: 40, batch: 8, optimizer: { name: adamw, weightDecay: 0.01 }, lr: { value: 0.003, perBatch: 8 }, warmup: { steps: 10 }, evaluateEvery: 10 }
evaluate: { thresholds: { text: 0.5, lowText: 0.3 } }
report: { images: 1 }
`;
  const directory = join(folder, 'run');
  await finetune(await parseRecipe(text, 'words.yaml'), { directory });
  return directory;
}
