import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { finetune } from '../../src/finetune.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { randomStream } from '../../src/random.js';

/** Sides of the drawn photos, and of the input: nothing is resized. */
export const [WIDTH, HEIGHT] = [96, 64];

const CLASSES = ['disc', 'square'] as const;
const COLOURS = [
  [40, 80, 230],
  [230, 60, 40],
] as const;

interface Drawn {
  readonly classIndex: number;
  /** Left, top, width, height. */
  readonly box: readonly [number, number, number, number];
}

/** Draws one to three shapes on grey noise, which do not touch. */
async function drawPhoto(file: string): Promise<readonly Drawn[]> {
  const random = randomStream(1, file.split('/').slice(-2).join('/'));
  const pixels = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, () => 120 + random.integer(-25, 26));
  const drawn: Drawn[] = [];
  for (let i = 0; i < 3; i++) {
    const side = 20 + random.integer(0, 21);
    const [left, top] = [random.integer(0, WIDTH - side), random.integer(0, HEIGHT - side)];
    const isFree = drawn.every(
      ({ box: [x, y, w, h] }) => left > x + w || left + side < x || top > y + h || top + side < y,
    );
    if (!isFree) continue;
    const classIndex = random.integer(0, 2);
    drawn.push({ classIndex, box: [left, top, side, side] });
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const isInside = Math.hypot(x + 0.5 - side / 2, y + 0.5 - side / 2) < side / 2;
        if (classIndex === 0 && !isInside) continue;
        pixels.set(COLOURS[classIndex]!, ((top + y) * WIDTH + left + x) * 3);
      }
  }
  await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .png()
    .toFile(file);
  return drawn;
}

async function drawPart(folder: string, part: string, count: number): Promise<void> {
  await mkdir(join(folder, part), { recursive: true });
  const images = Array.from({ length: count }, (_, id) => ({ id, file_name: `${id}.png`, width: WIDTH, height: HEIGHT })); // prettier-ignore
  const drawn = await Promise.all(images.map(({ file_name }) => drawPhoto(join(folder, part, file_name))));
  const annotations = drawn
    .flatMap((shapes, image_id) => shapes.map((shape) => ({ image_id, ...shape })))
    .map(({ image_id, classIndex, box }, id) => ({
      id,
      image_id,
      category_id: classIndex + 1,
      bbox: box,
      area: box[2] * box[3],
      iscrowd: 0,
    }));
  const categories = CLASSES.map((name, i) => ({ id: i + 1, name }));
  await writeFile(join(folder, `${part}.json`), JSON.stringify({ images, annotations, categories }));
}

const row = (channels: number, expansion = 4) =>
  `{ operator: bottleneck, expansion: ${expansion}, channels: ${channels}, stride: 2 }`;
/** Wide enough to learn the shapes in a minute. */
export const smallBackbone = `{ name: small, stem: 16, rows: [${row(16, 1)}, ${row(24)}, ${row(32)}, ${row(48)}] }`;

/** Trains a small detector on shapes that are drawn into `folder`, and returns its run; its photos are in `folder`/val. */
export async function trainShapes(
  folder: string,
  more = ', classLoss: softmax',
): Promise<{ readonly run: string; readonly AP: number }> {
  await drawPart(folder, 'train', 128);
  await drawPart(folder, 'val', 24);
  const part = (name: string) => `{ annotations: ${name}.json, images: ${name} }`;
  const text = `
task: detection
data: { format: coco, root: ${folder}, train: ${part('train')}, val: ${part('val')}, size: [${HEIGHT}, ${WIDTH}], augment: { flip: 0.5, photometric: false, expand: 0, iouCrop: false } }
model: { backbone: ${smallBackbone}${more} }
train: { epochs: 20, batch: 16, optimizer: { name: adamw, weightDecay: 0.01 }, lr: { value: 0.004, perBatch: 16 }, warmup: { epochs: 1 }, evaluateEvery: 20 }
report: { images: 1 }
`;
  const run = join(folder, 'run');
  const { metrics } = await finetune(await parseRecipe(text, 'shapes.yaml'), { directory: run });
  return { run, AP: (metrics as unknown as { metric: { AP: number } }).metric.AP };
}
