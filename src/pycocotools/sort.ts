/** Number of rows of a block that is sorted by insertion; blocks are then merged. */
const BLOCK = 16;

/** Sort rows[from … to) by descending score[row]; equal scores keep their order, as in numpy's argsort(−score,
 *  kind='mergesort'). */
export function mergeSortDescending(rows: Int32Array, from: number, to: number, score: Float64Array): void {
  for (let start = from; start < to; start += BLOCK) insertionSort(rows, start, Math.min(start + BLOCK, to), score);
  if (to - from > BLOCK) mergeBlocks(rows.subarray(from, to), score);
}

function insertionSort(rows: Int32Array, from: number, to: number, score: Float64Array): void {
  for (let i = from + 1; i < to; i++) {
    const row = rows[i]!;
    const key = score[row]!;
    let j = i - 1;
    for (; j >= from && score[rows[j]!]! < key; j--) rows[j + 1] = rows[j]!;
    rows[j + 1] = row;
  }
}

/** Merges blocks bottom-up, between `rows` and a copy. */
function mergeBlocks(rows: Int32Array, score: Float64Array): void {
  let from = rows;
  let to: Int32Array = new Int32Array(rows.length);
  for (let width = BLOCK; width < rows.length; width *= 2) {
    for (let start = 0; start < rows.length; start += width * 2) {
      const middle = Math.min(start + width, rows.length);
      mergeTwo(from, to, start, middle, Math.min(middle + width, rows.length), score);
    }
    [from, to] = [to, from];
  }
  if (from !== rows) rows.set(from);
}

function mergeTwo(
  from: Int32Array,
  to: Int32Array,
  start: number,
  middle: number,
  stop: number,
  score: Float64Array,
): void {
  let left = start;
  let right = middle;
  let out = start;
  while (left < middle && right < stop) {
    const a = from[left]!;
    const b = from[right]!;
    if (score[a]! >= score[b]!) {
      to[out++] = a;
      left++;
    } else {
      to[out++] = b;
      right++;
    }
  }
  while (left < middle) to[out++] = from[left++]!;
  while (right < stop) to[out++] = from[right++]!;
}

/** Sorts rows by ascending key[row] (0 … numKeys − 1) in linear time; equal keys keep their order. */
export function countingSort(rows: Int32Array, key: Int32Array, numKeys: number): Int32Array<ArrayBuffer> {
  const next = new Int32Array(numKeys + 1);
  for (let i = 0; i < rows.length; i++) next[key[rows[i]!]! + 1]!++;
  for (let k = 0; k < numKeys; k++) next[k + 1]! += next[k]!;
  const sorted = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    sorted[next[key[row]!]!++] = row;
  }
  return sorted;
}
