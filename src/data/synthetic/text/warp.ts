import type { RandomStream } from '../../../random.js';

export type Point = readonly [x: number, y: number];
/** Maps a point of the plane of the text (pixels, centred about 0, y points down) to the image. */
export type Warp = (x: number, y: number) => Point;

export interface Pose {
  readonly at: Point;
  /** Radians, clockwise. */
  readonly angle: number;
  /** Shear: change of x with y. */
  readonly shear: number;
  /** Perspective: change of the size per pixel to the right and down, as on a tilted plane. */
  readonly tilt: Point;
}

/** Draws a pose for text of this extent (half width and half height, pixels): mostly upright and frontal, as signs are
 *  photographed. */
export function drawPose(random: RandomStream, at: Point, halfWidth: number, halfHeight: number): Pose {
  const turned = random.next();
  const angle =
    turned < 0.72 ? random.normal() * 0.07 : turned < 0.95 ? random.uniform(-0.7, 0.7) : random.uniform(-1.6, 1.6);
  const tilted = random.chance(0.6);
  return {
    at,
    angle,
    shear: random.chance(0.3) ? random.normal() * 0.15 : 0,
    tilt: tilted
      ? [random.uniform(-0.3, 0.3) / halfWidth, random.uniform(-0.25, 0.25) / Math.max(halfHeight, halfWidth / 4)]
      : [0, 0],
  };
}

/** The homography of a pose. */
export function posed({ at, angle, shear, tilt }: Pose): Warp {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return (x, y) => {
    const depth = 1 + tilt[0] * x + tilt[1] * y;
    const [u, v] = [(x + shear * y) / depth, y / depth];
    return [at[0] + u * cos - v * sin, at[1] + u * sin + v * cos];
  };
}

/** Bends the line y = 0 to a circle of the given radius (pixels; negative bends its ends up); lengths along y = 0 do
 *  not change. */
export const bent =
  (radius: number, warp: Warp): Warp =>
  (x, y) => {
    const angle = x / radius;
    const reach = radius - y; // y points down; the centre of a positive radius is below
    return warp(reach * Math.sin(angle), radius - reach * Math.cos(angle));
  };
