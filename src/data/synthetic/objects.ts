import type { RandomStream } from '../../random.js';
import { arc, curve, polygon, rectangle, roundedRectangle, type Outline, type Point, type Shape } from './outline.js';
import type { Palette } from './paint.js';

/** Draws an upright object, about one unit high or wide, around the origin. Every call gives a variation of it. */
type Draw = (random: RandomStream, colours: Palette) => Shape[];

const fish: Draw = (random, { main, light, dark, accent, paper, ink }) => {
  const height = random.uniform(0.2, 0.3);
  const tail = random.uniform(0.16, 0.26);
  const nose: Point = [-0.5, 0.02];
  const stalk: Point = [0.26, 0];
  const body: Outline = [
    ...curve(nose, [-0.16, -2 * height], stalk, 14),
    ...curve(stalk, [-0.16, 2 * height], nose, 14),
  ];
  const shapes: Shape[] = [
    { outline: polygon([0.2, 0], [0.5, -tail], [random.uniform(0.36, 0.46), 0], [0.5, tail]), fill: accent },
    {
      outline: [...curve([-0.22, -height * 0.8], [0, -height * 1.9], [0.16, -height * 0.35]), [0.16, -height * 0.35]],
      fill: accent,
    },
    { outline: body, fill: main },
    {
      outline: [...curve(nose, [-0.14, 2 * height], [0.2, 0.03]), ...curve([0.2, 0.03], [-0.14, height * 0.7], nose)],
      fill: light,
    },
  ];
  const stripes = random.integer(0, 4);
  for (let i = 0; i < stripes; i++) {
    const x = -0.17 + i * 0.13;
    const half = height * (0.78 - i * 0.17);
    shapes.push({
      outline: [
        ...curve([x, -half], [x + 0.09, 0], [x, half]),
        ...curve([x + 0.05, half], [x + 0.14, 0], [x + 0.05, -half]),
      ],
      fill: dark,
    });
  }
  shapes.push(
    { outline: polygon([-0.08, 0.04], [0.06, 0.02], [0.03, 0.14]), fill: accent },
    { outline: arc(-0.33, -0.05, 0.055, 0.055, 0, 2 * Math.PI, 14), fill: paper },
    { outline: arc(-0.34, -0.05, 0.028, 0.028, 0, 2 * Math.PI, 10), fill: ink },
  );
  return shapes;
};

const house: Draw = (random, { main, light, dark, accent, accentDark, paper }) => {
  const half = random.uniform(0.32, 0.42);
  const eaves = random.uniform(-0.12, 0.02);
  const over = random.uniform(0.03, 0.08);
  const ridge = random.chance(0.35) ? half * random.uniform(0.35, 0.6) : 0;
  const shapes: Shape[] = [];
  if (random.chance(0.6)) {
    const x = half * random.uniform(0.35, 0.6);
    shapes.push({ outline: rectangle(x, -0.46, x + 0.11, eaves), fill: dark });
  }
  shapes.push(
    { outline: rectangle(-half, eaves, half, 0.45), fill: main },
    { outline: rectangle(-half, 0.37, half, 0.45), fill: dark },
    { outline: polygon([-half - over, eaves], [-ridge, -0.45], [ridge, -0.45], [half + over, eaves]), fill: accent },
    {
      outline: polygon(
        [-half - over, eaves],
        [half + over, eaves],
        [half + over * 0.7, eaves + 0.04],
        [-half - over * 0.7, eaves + 0.04],
      ),
      fill: accentDark,
    },
  );
  const side = random.chance(0.5) ? 1 : -1;
  const door = side * half * random.uniform(0.35, 0.55);
  shapes.push({ outline: rectangle(door - 0.075, 0.17, door + 0.075, 0.45), fill: accentDark });
  shapes.push({ outline: arc(door + 0.045, 0.32, 0.014, 0.014, 0, 2 * Math.PI, 8), fill: paper });
  const pane = (x: number, y: number, r: number): Shape[] => [
    { outline: rectangle(x - r, y - r, x + r, y + r), fill: paper },
    { outline: rectangle(x - r * 0.82, y - r * 0.82, x - r * 0.08, y + r * 0.82), fill: light },
    { outline: rectangle(x + r * 0.08, y - r * 0.82, x + r * 0.82, y + r * 0.82), fill: light },
  ];
  shapes.push(...pane(-side * half * 0.45, 0.2, random.uniform(0.075, 0.11)));
  if (random.chance(0.5)) shapes.push({ outline: arc(0, eaves - 0.13, 0.055, 0.055, 0, 2 * Math.PI, 14), fill: paper });
  return shapes;
};

const star: Draw = (random, { main, light, dark, ink }) => {
  const points = random.integer(5, 7);
  const waist = random.uniform(0.36, 0.52);
  const rays = (radius: number, ratio: number): Outline =>
    Array.from({ length: 2 * points }, (_, i): Point => {
      const angle = (Math.PI * i) / points - Math.PI / 2;
      const r = i % 2 === 0 ? radius : radius * ratio;
      return [r * Math.cos(angle), r * Math.sin(angle)];
    });
  const shapes: Shape[] = [{ outline: rays(0.5, waist), fill: main }];
  const style = random.integer(0, 3);
  if (style === 0) shapes.push({ outline: rays(0.34, waist), fill: light });
  if (style === 1) {
    const outer = rays(0.5, waist);
    for (let i = 0; i < points; i++) shapes.push({ outline: [[0, 0], outer[2 * i]!, outer[2 * i + 1]!], fill: dark });
  }
  if (style === 2)
    shapes.push(
      { outline: arc(-0.08, -0.03, 0.028, 0.045, 0, 2 * Math.PI, 10), fill: ink },
      { outline: arc(0.08, -0.03, 0.028, 0.045, 0, 2 * Math.PI, 10), fill: ink },
      { outline: arc(0, 0.07, 0.1, 0.06, 0, Math.PI, 12), fill: ink },
    );
  return shapes;
};

const mug: Draw = (random, { main, light, dark, accent, ink }) => {
  const half = random.uniform(0.24, 0.32);
  const foot = half * random.uniform(0.78, 1);
  const top = random.uniform(-0.42, -0.28);
  const lip = random.uniform(0.05, 0.085);
  const grip = random.uniform(0.14, 0.19);
  const middle = (top + 0.4) / 2;
  const bow = random.uniform(0.17, 0.22);
  const ring: Outline = [
    ...arc(half * 0.93, middle, grip + 0.03, bow, -Math.PI / 2, Math.PI / 2, 14),
    ...[...arc(half * 0.93, middle, grip - 0.045, bow - 0.075, -Math.PI / 2, Math.PI / 2, 14)].reverse(),
  ];
  const shapes: Shape[] = [
    { outline: ring, fill: dark },
    { outline: [[-half, top], [half, top], ...arc(0, 0.4, foot, lip, 0, Math.PI, 14)], fill: main },
    {
      outline: polygon([-half * 0.8, top], [-half * 0.55, top], [-foot * 0.52, 0.43], [-foot * 0.78, 0.42]),
      fill: light,
    },
  ];
  const y = middle + random.uniform(-0.06, 0.06);
  const style = random.integer(0, 3);
  if (style === 0)
    shapes.push({ outline: rectangle(-(half + foot) / 2, y - 0.06, (half + foot) / 2, y + 0.06), fill: accent });
  if (style === 1) shapes.push({ outline: arc(0.03, y, 0.1, 0.1), fill: accent });
  if (style === 2)
    for (const dx of [-0.12, 0.02, 0.16])
      shapes.push({ outline: arc(dx, y, 0.035, 0.035, 0, 2 * Math.PI, 12), fill: accent });
  shapes.push(
    { outline: arc(0, top, half, lip), fill: dark },
    { outline: arc(0, top + 0.012, half * 0.86, lip * 0.72), fill: ink },
  );
  return shapes;
};

const tree: Draw = (random, { main, light, dark, accentDark }) => {
  const trunk = random.uniform(0.045, 0.075);
  const shapes: Shape[] = [
    { outline: polygon([-trunk, 0.05], [trunk, 0.05], [trunk * 1.5, 0.5], [-trunk * 1.5, 0.5]), fill: accentDark },
  ];
  if (random.chance(0.5)) {
    const tiers = random.integer(2, 5);
    const base = random.uniform(0.26, 0.36);
    for (let i = 0; i < tiers; i++) {
      const bottom = 0.3 - (i * 0.62) / tiers;
      const half = base * (1 - (i * 0.62) / tiers);
      const peak = Math.max(-0.5, bottom - 0.62 / tiers - 0.2);
      shapes.push({
        outline: polygon([-half, bottom], [0, i === tiers - 1 ? -0.5 : peak], [half, bottom]),
        fill: i % 2 ? light : main,
      });
      shapes.push({
        outline: polygon([half * 0.25, bottom], [0, i === tiers - 1 ? -0.5 : peak], [half, bottom]),
        fill: dark,
      });
    }
    return shapes;
  }
  const crowns = random.integer(4, 7);
  for (let i = 0; i < crowns; i++) {
    const angle = (2 * Math.PI * i) / crowns + random.uniform(-0.2, 0.2);
    const r = random.uniform(0.14, 0.19);
    shapes.push({
      outline: arc(0.19 * Math.cos(angle), -0.14 + 0.17 * Math.sin(angle), r, r),
      fill: Math.sin(angle) > 0.3 ? dark : main,
    });
  }
  shapes.push(
    { outline: arc(0, -0.14, 0.2, 0.2), fill: main },
    { outline: arc(-0.07, -0.21, 0.11, 0.09), fill: light },
  );
  return shapes;
};

const car: Draw = (random, { main, light, dark, accent, paper, ink }) => {
  const sill = random.uniform(0.13, 0.19);
  const belt = random.uniform(-0.06, 0);
  const roof = belt - random.uniform(0.17, 0.24);
  const front = random.uniform(-0.34, -0.24);
  const rear = random.uniform(0.2, 0.42);
  const rake = random.uniform(0.08, 0.15);
  const wheel = random.uniform(0.095, 0.125);
  const cabin = (inset: number): Outline =>
    polygon(
      [front + inset * 1.6, belt - inset * 0.2],
      [front + rake + inset, roof + inset],
      [rear - rake * 0.6 - inset, roof + inset],
      [rear - inset * 1.4, belt - inset * 0.2],
    );
  const post = (front + rear) / 2 + 0.02;
  const shapes: Shape[] = [
    { outline: cabin(0), fill: dark },
    { outline: cabin(0.035), fill: paper },
    { outline: rectangle(post - 0.02, roof + 0.02, post + 0.02, belt), fill: dark },
    { outline: roundedRectangle(-0.5, belt - 0.01, 0.5, sill, 0.07), fill: main },
    { outline: rectangle(-0.48, sill - 0.075, 0.48, sill - 0.04), fill: random.chance(0.5) ? light : dark },
    { outline: rectangle(post + 0.05, belt + 0.05, post + 0.11, belt + 0.065), fill: ink },
    { outline: arc(-0.46, belt + 0.065, 0.03, 0.035, 0, 2 * Math.PI, 12), fill: paper },
    { outline: rectangle(0.46, belt + 0.03, 0.5, belt + 0.09), fill: accent },
  ];
  for (const x of [-0.29, 0.28]) {
    shapes.push(
      { outline: arc(x, sill, wheel, wheel), fill: ink },
      { outline: arc(x, sill, wheel * 0.52, wheel * 0.52, 0, 2 * Math.PI, 16), fill: light },
    );
  }
  return shapes;
};

/** The classes, in the order of their COCO ids 1…6. */
export const objectClasses = { fish, house, star, mug, tree, car } as const satisfies Record<string, Draw>;
export type ObjectClass = keyof typeof objectClasses;
export const objectNames = Object.keys(objectClasses) as ObjectClass[];
