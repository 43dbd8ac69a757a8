import type { RandomStream } from '../../random.js';
import { arc, pathData, polygon, rectangle, transform, type Outline } from './outline.js';
import { hsl } from './paint.js';

/** Draw a backdrop of width×height as SVG elements: a ground, and in half of the cases clutter that is no object of any
 *  class. */
export function drawBackdrop(random: RandomStream, width: number, height: number): string {
  const hue = random.uniform(0, 360);
  const saturation = random.uniform(0.08, 0.5);
  const lightness = random.uniform(0.3, 0.85);
  const tone = (shift: number, turn = 0) =>
    hsl(hue + turn, saturation, Math.min(0.95, Math.max(0.08, lightness + shift)));
  const ground = grounds[random.integer(0, grounds.length)]!;
  return ground(random, width, height, tone) + (random.chance(0.55) ? drawClutter(random, width, height, tone) : '');
}

type Tone = (shift: number, turn?: number) => string;
type Ground = (random: RandomStream, width: number, height: number, tone: Tone) => string;

const full = (width: number, height: number, fill: string) =>
  `<rect width="${width}" height="${height}" fill="${fill}"/>`;

const gradient: Ground = (random, width, height, tone) => {
  const angle = random.uniform(0, 360).toFixed(0);
  const spread = random.uniform(0.08, 0.25);
  return (
    `<linearGradient id="ground" gradientTransform="rotate(${angle} .5 .5)"><stop offset="0" stop-color="${tone(spread)}"/>` +
    `<stop offset="1" stop-color="${tone(-spread, random.uniform(-60, 60))}"/></linearGradient>` +
    full(width, height, 'url(#ground)')
  );
};

const landscape: Ground = (random, width, height, tone) => {
  const horizon = height * random.uniform(0.4, 0.7);
  const turn = random.uniform(60, 200);
  const ridge = (base: number, swing: number): Outline => {
    const phase = random.uniform(0, 6);
    const waves = random.uniform(1, 3);
    const top = Array.from({ length: 25 }, (_, i) => {
      const t = i / 24;
      return [t * width, base + swing * Math.sin(phase + waves * Math.PI * t)] as const;
    });
    return [...top, [width, height], [0, height]];
  };
  return (
    `<linearGradient id="ground" x2="0" y2="1"><stop offset="0" stop-color="${tone(0.2)}"/><stop offset="1" stop-color="${tone(0.02)}"/></linearGradient>` +
    full(width, height, 'url(#ground)') +
    `<path d="${pathData(ridge(horizon, height * 0.07))}" fill="${tone(-0.06, turn)}"/>` +
    `<path d="${pathData(ridge(horizon + height * 0.16, height * 0.05))}" fill="${tone(-0.16, turn)}"/>`
  );
};

const stripes: Ground = (random, width, height, tone) => {
  const period = random.uniform(10, 46);
  const reach = width + height;
  const angle = random.uniform(0, 180).toFixed(0);
  let bands = '';
  for (let x = -reach; x < reach; x += period)
    bands += `<rect x="${x.toFixed(1)}" y="${-reach}" width="${(period * 0.5).toFixed(1)}" height="${2 * reach}"/>`;
  return (
    full(width, height, tone(0.06)) +
    `<g fill="${tone(-0.07, random.uniform(-40, 40))}" transform="translate(${width / 2} ${height / 2}) rotate(${angle})">${bands}</g>`
  );
};

const tiles: Ground = (random, width, height, tone) => {
  const size = random.uniform(18, 56);
  const round = random.chance(0.4);
  let marks = '';
  for (let row = 0; row * size < height; row++)
    for (let column = 0; column * size < width; column++) {
      if ((row + column) % 2) continue;
      const [x, y] = [column * size, row * size];
      marks += round
        ? `<circle cx="${(x + size / 2).toFixed(1)}" cy="${(y + size / 2).toFixed(1)}" r="${(size * 0.3).toFixed(1)}"/>`
        : `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${size.toFixed(1)}" height="${size.toFixed(1)}"/>`;
    }
  return full(width, height, tone(0.05)) + `<g fill="${tone(-0.06, random.uniform(-30, 30))}">${marks}</g>`;
};

/** Cloudy or grainy noise: SVG's own turbulence, coloured. It is the slowest ground (20 ms at 256×256), so it stands
 *  once in the list. */
const noise: Ground = (random, width, height, tone) => {
  const coarse = random.chance(0.5);
  const frequency = (coarse ? random.uniform(0.008, 0.03) : random.uniform(0.06, 0.25)).toFixed(3);
  const stretch = random.chance(0.4) ? ` ${(Number(frequency) * 6).toFixed(3)}` : ''; // wood grain
  const strength = random.uniform(0.5, 0.95).toFixed(2);
  return (
    `<filter id="noise" x="0" y="0" width="1" height="1"><feTurbulence type="fractalNoise" baseFrequency="${frequency}${stretch}"` +
    ` numOctaves="2" seed="${random.integer(0, 10000)}"/><feColorMatrix values="0 0 0 0 0  0 0 0 0 0  0 0 0 0 0  1.6 0 0 0 -.35"/></filter>` +
    full(width, height, tone(0.14)) +
    `<g opacity="${strength}"><rect width="${width}" height="${height}" filter="url(#noise)"/></g>` +
    `<rect width="${width}" height="${height}" fill="${tone(-0.02, random.uniform(-50, 50))}" opacity=".55"/>`
  );
};

const room: Ground = (random, width, height, tone) => {
  const edge = height * random.uniform(0.55, 0.8);
  const turn = random.uniform(20, 120);
  let boards = '';
  const count = random.integer(3, 8);
  for (let i = 1; i <= count; i++) {
    const y = edge + ((height - edge) * i * i) / (count * count);
    boards += `<path d="M0 ${y.toFixed(1)}H${width}" stroke="${tone(-0.22, turn)}"/>`;
  }
  return (
    full(width, height, tone(0.08)) +
    `<rect y="${edge.toFixed(1)}" width="${width}" height="${height}" fill="${tone(-0.14, turn)}"/>${boards}` +
    `<rect y="${(edge - 5).toFixed(1)}" width="${width}" height="5" fill="${tone(0.16)}"/>`
  );
};

const grounds: readonly Ground[] = [gradient, landscape, stripes, tiles, noise, room];

/** Simple shapes that resemble parts of the objects (discs, bars, triangles) but are none of them. */
function drawClutter(random: RandomStream, width: number, height: number, tone: Tone): string {
  const forms: readonly Outline[] = [
    arc(0, 0, 0.5, 0.5),
    rectangle(-0.5, -0.5, 0.5, 0.5),
    polygon([-0.5, 0.4], [0, -0.5], [0.5, 0.4]),
    rectangle(-0.5, -0.08, 0.5, 0.08),
    polygon([-0.5, 0], [0, -0.35], [0.5, 0], [0, 0.35]),
    arc(0, 0, 0.5, 0.5, 0, Math.PI),
    polygon(
      [-0.5, -0.15],
      [-0.15, -0.15],
      [-0.15, -0.5],
      [0.15, -0.5],
      [0.15, -0.15],
      [0.5, -0.15],
      [0.5, 0.15],
      [0.15, 0.15],
      [0.15, 0.5],
      [-0.15, 0.5],
      [-0.15, 0.15],
      [-0.5, 0.15],
    ),
  ];
  let svg = '';
  for (let i = random.integer(2, 12); i > 0; i--) {
    const size = Math.min(width, height) * random.uniform(0.04, 0.25);
    const outline = transform(forms[random.integer(0, forms.length)]!, {
      angle: random.uniform(0, 2 * Math.PI),
      scaleX: size,
      scaleY: size * random.uniform(0.6, 1),
      at: [random.uniform(0, width), random.uniform(0, height)],
    });
    const fill = tone(random.uniform(-0.25, 0.2), random.uniform(-120, 120));
    svg += `<path d="${pathData(outline)}" fill="${fill}" opacity="${random.uniform(0.5, 1).toFixed(2)}"/>`;
  }
  return svg;
}
