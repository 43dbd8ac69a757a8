/** The box around a segmentation, as x, y, width and height: polygons, or a run-length encoded mask. Undefined if there
 *  is no such segmentation, or it is empty. */
export function boxOfSegmentation(segmentation: unknown): [number, number, number, number] | undefined {
  if (Array.isArray(segmentation)) return boxOfPoints(segmentation);
  if (typeof segmentation !== 'object' || segmentation === null) return undefined;
  const { counts, size } = segmentation as { readonly counts?: unknown; readonly size?: unknown };
  const height = Array.isArray(size) ? (size[0] as unknown) : undefined;
  if (typeof height !== 'number' || !Number.isInteger(height) || height < 1) return undefined;
  const runs = typeof counts === 'string' ? decodeRuns(counts) : counts;
  return Array.isArray(runs) && runs.every((run) => Number.isSafeInteger(run) && run >= 0)
    ? boxOfRuns(runs as number[], height)
    : undefined;
}

/** The box around one polygon, or several: lists of x1, y1, x2, y2, … */
function boxOfPoints(polygons: readonly unknown[]): [number, number, number, number] | undefined {
  const lists = polygons.every((one) => typeof one === 'number') ? [polygons] : polygons;
  let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const list of lists) {
    if (!Array.isArray(list) || list.length < 4 || !list.every((value) => Number.isFinite(value))) return undefined;
    (list as number[]).forEach((value, i) => {
      if (i % 2 === 0) [x1, x2] = [Math.min(x1, value), Math.max(x2, value)];
      else [y1, y2] = [Math.min(y1, value), Math.max(y2, value)];
    });
  }
  return x2 >= x1 && y2 >= y1 ? [x1, y1, x2 - x1, y2 - y1] : undefined;
}

/** The box of a mask whose runs go down the columns and are of background and object in turn. */
function boxOfRuns(runs: readonly number[], height: number): [number, number, number, number] | undefined {
  let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity];
  let at = 0;
  runs.forEach((run, i) => {
    if (i % 2 === 1 && run > 0) {
      const last = at + run - 1;
      const [first, end] = [Math.floor(at / height), Math.floor(last / height)];
      [x1, x2] = [Math.min(x1, first), Math.max(x2, end)];
      [y1, y2] = first === end ? [Math.min(y1, at % height), Math.max(y2, last % height)] : [0, height - 1];
    }
    at += run;
  });
  return x2 >= x1 ? [x1, y1, x2 - x1 + 1, y2 - y1 + 1] : undefined;
}

/** Decodes the runs of a compressed mask: 5 bits a character, and differences to the run before the last (rleFrString of
 *  pycocotools' maskApi.c). Undefined if the text is cut off. */
function decodeRuns(text: string): number[] | undefined {
  const runs: number[] = [];
  for (let at = 0; at < text.length;) {
    let value = 0;
    for (let shift = 0, more = true; more; shift += 5) {
      const code = text.charCodeAt(at++) - 48;
      if (!(code >= 0 && code < 64) || shift > 30) return undefined;
      more = (code & 0x20) !== 0;
      value |= (code & 0x1f) << shift;
      if (!more && (code & 0x10) !== 0 && shift < 27) value |= -1 << (shift + 5);
    }
    if (runs.length > 2) value += runs.at(-2)!;
    runs.push(value);
  }
  return runs;
}
