import type { RandomStream } from '../../random.js';
import { drawBackdrop } from './backdrop.js';
import { maskOf, visibleShare, type Mask } from './mask.js';
import { objectClasses, objectNames, type ObjectClass } from './objects.js';
import { bounds, clipTo, pathData, transform, type Outline } from './outline.js';
import { drawPalette } from './paint.js';

/** A picture before it is rendered. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly svg: string;
  readonly objects: readonly SceneObject[];
  /** Sigma of the blur in pixels; 0 for none. */
  readonly blur: number;
  /** JPEG quality. */
  readonly quality: number;
}

export interface SceneObject {
  readonly category: ObjectClass;
  /** x1, y1, x2, y2: the part of the object inside the image, including what other objects hide. */
  readonly box: readonly [number, number, number, number];
}

const sizes: readonly (readonly [width: number, height: number])[] = [
  [256, 256],
  [288, 216],
  [320, 240],
  [216, 288],
  [240, 320],
];
/** Minimum share of every object that is visible, counting what other objects hide and what lies outside the image. */
const LEAST_VISIBLE = 0.4;
const MOST_OBJECTS = 7;
const MOST_TRIES = 12;
const TWO_DECIMALS = 100;

/** Draw a scene: a backdrop, up to seven objects from far to near, and light over everything. One scene in thirty has
 *  no object. */
export function drawScene(random: RandomStream): Scene {
  const [width, height] = sizes[random.integer(0, sizes.length)]!;
  const backdrop = drawBackdrop(random, width, height);
  const count = random.chance(1 / 30) ? 0 : 1 + Math.floor(MOST_OBJECTS * random.next() ** 1.3);
  const placed: {
    readonly category: ObjectClass;
    readonly outlines: Outline[];
    readonly mask: Mask;
    readonly svg: string;
  }[] = [];
  for (let i = 0; i < count; i++) {
    for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
      const object = drawObject(random, width, height, i);
      const fits = [...placed, object].every(
        ({ mask }, index, all) =>
          visibleShare(
            mask,
            all.slice(index + 1).map((above) => above.mask),
          ) >= LEAST_VISIBLE,
      );
      if (!fits) continue;
      placed.push(object);
      break;
    }
  }
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `${backdrop}${placed.map((object) => object.svg).join('')}${drawLight(random, width, height)}</svg>`;
  const objects = placed.map(({ category, outlines }) => {
    const [x1, y1, x2, y2] = bounds(outlines.map((outline) => clipTo(outline, width, height)));
    const round = (value: number, most: number) =>
      Math.round(Math.min(most, Math.max(0, value)) * TWO_DECIMALS) / TWO_DECIMALS;
    return { category, box: [round(x1, width), round(y1, height), round(x2, width), round(y2, height)] as const };
  });
  return {
    width,
    height,
    svg,
    objects,
    blur: random.chance(0.3) ? random.uniform(0.4, 1.3) : 0,
    quality: random.integer(55, 96),
  };
}

function drawObject(random: RandomStream, width: number, height: number, index: number) {
  const category = objectNames[random.integer(0, objectNames.length)]!;
  const size = Math.min(width, height) * random.uniform(0.1, 0.6);
  const mirror = random.chance(0.5) ? -1 : 1;
  const pose = {
    angle: random.normal() * (category === 'star' || category === 'fish' ? 0.5 : 0.2),
    scaleX: size * mirror * random.uniform(0.85, 1.15),
    scaleY: size * random.uniform(0.85, 1.15),
    at: [random.uniform(0.02, 0.98) * width, random.uniform(0.02, 0.98) * height] as const,
  };
  const shapes = objectClasses[category](random, drawPalette(random)).map(({ outline, fill }) => ({
    outline: transform(outline, pose),
    fill,
  }));
  const outlines = shapes.map(({ outline }) => outline);
  const shift = size * random.uniform(0.02, 0.06);
  const fall = shift * random.uniform(-1, 1);
  const shadow = random.chance(0.7)
    ? `<g opacity="${random.uniform(0.12, 0.32).toFixed(2)}" transform="translate(${fall.toFixed(1)} ${shift.toFixed(1)})">` +
      `<path d="${outlines.map(pathData).join('')}"/></g>`
    : '';
  const paths = shapes.map(({ outline, fill }) => `<path d="${pathData(outline)}" fill="${fill}"/>`).join('');
  const svg = `${shadow}<g id="object${index}">${paths}</g>`;
  return { category, outlines, mask: maskOf(outlines, width, height), svg };
}

/** A gradient from light to dark across the picture, and on some pictures a vignette. */
function drawLight(random: RandomStream, width: number, height: number): string {
  const angle = random.uniform(0, 360).toFixed(0);
  const wash =
    `<linearGradient id="light" gradientTransform="rotate(${angle} .5 .5)"><stop offset="0" stop-color="#fff" stop-opacity="${random.uniform(0, 0.35).toFixed(2)}"/>` +
    `<stop offset="1" stop-color="#000" stop-opacity="${random.uniform(0, 0.4).toFixed(2)}"/></linearGradient>` +
    `<rect width="${width}" height="${height}" fill="url(#light)"/>`;
  if (random.chance(0.6)) return wash;
  return (
    wash +
    `<radialGradient id="vignette" r=".75"><stop offset=".5" stop-opacity="0"/><stop offset="1" stop-opacity="${random.uniform(0.2, 0.55).toFixed(2)}"/></radialGradient>` +
    `<rect width="${width}" height="${height}" fill="url(#vignette)"/>`
  );
}
