/** How much of each pixel of a rectangle is covered, 0…1. Text is painted with it. */
export interface Coverage {
  /** [height, width]. */
  readonly data: Float32Array;
  /** Top left corner of the rectangle in the image, whole pixels. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Computes the area of closed contours in each pixel, exactly for straight edges: every edge adds the signed area to
 *  its right, and a sum along each row turns that into coverage (as the rasterisers of FreeType and font-rs do).
 *  Contours of one direction may overlap. The rectangle is `bounds` (x1, y1, x2, y2), which must contain all points,
 *  widened by `margin` pixels. */
export function coverageOf(
  contours: readonly Float32Array[],
  [x1, y1, x2, y2]: readonly [number, number, number, number],
  margin: number,
): Coverage {
  const left = Math.floor(x1) - margin;
  const top = Math.floor(y1) - margin;
  const width = Math.ceil(x2) + margin + 2 - left;
  const height = Math.ceil(y2) + margin + 1 - top;
  const data = new Float32Array(width * height);
  for (const contour of contours) {
    const n = contour.length;
    for (let i = 0; i < n; i += 2) {
      const j = i + 2 < n ? i + 2 : 0;
      addEdge(data, width, contour[i]! - left, contour[i + 1]! - top, contour[j]! - left, contour[j + 1]! - top);
    }
  }
  for (let y = 0; y < height; y++) {
    let sum = 0;
    for (let at = y * width, end = at + width; at < end; at++) {
      sum += data[at]!;
      data[at] = Math.min(1, Math.abs(sum));
    }
  }
  return { data, left, top, width, height };
}

function addEdge(data: Float32Array, width: number, xa: number, ya: number, xb: number, yb: number): void {
  if (ya === yb) return;
  const down = ya < yb;
  const sign = down ? 1 : -1;
  const [x0, y0, x1, y1] = down ? [xa, ya, xb, yb] : [xb, yb, xa, ya];
  const slope = (x1 - x0) / (y1 - y0);
  let x = x0;
  for (let row = Math.floor(y0); row < y1; row++) {
    const dy = Math.min(row + 1, y1) - Math.max(row, y0);
    const next = x + slope * dy;
    const area = sign * dy;
    const low = Math.min(x, next);
    const high = Math.max(x, next);
    const first = Math.floor(low);
    const last = Math.ceil(high);
    const at = row * width;
    if (last <= first + 1) {
      const part = (low + high) / 2 - first; // mean distance from the pixel's left side
      data[at + first]! += area * (1 - part);
      data[at + first + 1]! += area * part;
    } else {
      // The edge crosses several pixels of this row: the areas are a triangle, trapezia, and a triangle.
      const steep = 1 / (high - low);
      const head = 0.5 * steep * (1 - (low - first)) ** 2;
      const tail = 0.5 * steep * (high - last + 1) ** 2;
      data[at + first]! += area * head;
      if (last === first + 2) data[at + first + 1]! += area * (1 - head - tail);
      else {
        const second = steep * (1.5 - (low - first));
        data[at + first + 1]! += area * (second - head);
        for (let column = first + 2; column < last - 1; column++) data[at + column]! += area * steep;
        const before = second + (last - first - 3) * steep;
        data[at + last - 1]! += area * (1 - before - tail);
      }
      data[at + last]! += area * tail;
    }
    x = next;
  }
}

/** Applies a box blur with the given radius in pixels twice, which is close to a Gaussian. */
export function blurred(coverage: Coverage, radius: number): Coverage {
  const { width, height } = coverage;
  let data = coverage.data;
  for (let pass = 0; pass < 2; pass++) {
    data = boxAlong(data, width, height, radius, 1, width);
    data = boxAlong(data, height, width, radius, width, 1);
  }
  return { ...coverage, data };
}

/** Replaces each value by the mean of 2·radius + 1 values along one axis. `stride` and `pitch` are the distances of
 *  values and of lines in the array. */
function boxAlong(from: Float32Array, length: number, lines: number, radius: number, stride: number, pitch: number) {
  const to = new Float32Array(from.length);
  const scale = 1 / (2 * radius + 1);
  for (let line = 0; line < lines; line++) {
    const start = line * pitch;
    let sum = 0;
    for (let i = 0; i < Math.min(radius, length); i++) sum += from[start + i * stride]!;
    for (let i = 0; i < length; i++) {
      if (i + radius < length) sum += from[start + (i + radius) * stride]!;
      if (i - radius - 1 >= 0) sum -= from[start + (i - radius - 1) * stride]!;
      to[start + i * stride] = sum * scale;
    }
  }
  return to;
}

/** Grows the coverage by about `radius` pixels: blurs it, and makes its edges steep again. */
export function grown(coverage: Coverage, radius: number): Coverage {
  const soft = blurred(coverage, radius);
  return { ...soft, data: soft.data.map((value) => Math.min(1, value * 5)) };
}
