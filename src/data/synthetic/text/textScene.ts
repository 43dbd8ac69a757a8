import type { RandomStream } from '../../../random.js';
import { drawBackdrop } from './backdrop.js';
import type { Canvas } from './canvas.js';
import type { Face, Script } from './fonts.js';
import { drawBlock } from './layout.js';
import { paintBlock, type SceneWord } from './paintBlock.js';
import { placeBlock } from './placeBlock.js';
import { addNoise } from './sensorNoise.js';
import type { Point } from './warp.js';

export interface TextScene {
  readonly canvas: Canvas;
  readonly words: readonly SceneWord[];
}

const MOST_BLOCKS = 14;
const TRIES = 5;
/** Draw a picture with text: on `photo` if it is given, else on a drawn backdrop. One picture in forty has no text. */
export function drawTextScene(
  random: RandomStream,
  faces: readonly Face[],
  { width, height, photo }: { readonly width: number; readonly height: number; readonly photo?: Canvas | undefined },
): TextScene {
  const canvas = photo ?? drawBackdrop(random, width, height);
  const words: SceneWord[] = [];
  const taken: Point[][] = [];
  const wanted = random.chance(1 / 40) ? 0 : random.integer(1, MOST_BLOCKS + 1);
  for (let i = 0; i < wanted; i++) {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const face = drawFace(random, faces);
      const block = drawBlock(random, face, face.scripts[0]!);
      if (!block) continue;
      const placed = placeBlock(random, block, width, height, taken);
      if (!placed) continue;
      taken.push(placed.quad);
      words.push(...paintBlock(canvas, random, block, placed.warp, placed.ground));
      break;
    }
  }
  addNoise(canvas, random);
  return { canvas, words };
}

/** How often each script is drawn. The script is drawn before the font, so that a script with many fonts is not drawn
 *  more often. */
const shares: readonly (readonly [Script, number])[] = [
  ['latin', 0.88],
  ['cyrillic', 0.05],
  ['greek', 0.03],
  ['hebrew', 0.02],
  ['hangul', 0.02],
];

function drawFace(random: RandomStream, faces: readonly Face[]): Face {
  let rest = random.next();
  const script = shares.find(([, share]) => (rest -= share) < 0)?.[0] ?? 'latin';
  const fitting = faces.filter(({ scripts }) => scripts.includes(script));
  const able = fitting.length > 0 ? fitting : faces;
  return able[random.integer(0, able.length)]!;
}
