/** Watershed: floods a relief from markers, highest cells first; each cell belongs to the region that reaches it first,
 *  4-connected. Meyer 1991. Ties go to the cell that was reached first, and regions meet without a line between them,
 *  as in scikit-image. `heights` and `markers` are [height, width]; a marker is 0, or the number of a region. Cells
 *  below `floor` are not flooded. Returns [height, width], 0 for cells that are not flooded. */
export function watershed(
  heights: ArrayLike<number>,
  markers: ArrayLike<number>,
  { width, height, floor }: { readonly width: number; readonly height: number; readonly floor: number },
): Int32Array {
  const labels = new Int32Array(width * height);
  const queue = createQueue(heights);
  for (let cell = 0; cell < labels.length; cell++) {
    if (markers[cell] === 0 || heights[cell]! < floor) continue;
    labels[cell] = markers[cell]!;
    queue.push(cell);
  }
  for (let cell = queue.pop(); cell >= 0; cell = queue.pop()) {
    const x = cell % width;
    const flow = (next: number): void => {
      if (labels[next] !== 0 || heights[next]! < floor) return;
      labels[next] = labels[cell]!;
      queue.push(next);
    };
    if (cell >= width) flow(cell - width);
    if (x > 0) flow(cell - 1);
    if (x + 1 < width) flow(cell + 1);
    if (cell + width < labels.length) flow(cell + width);
  }
  return labels;
}

/** A binary heap of cells: the highest first, and of equal ones the earliest. `pop` returns −1 if it is empty. */
function createQueue(heights: ArrayLike<number>): { push(cell: number): void; pop(): number } {
  const cells: number[] = [];
  const ages: number[] = [];
  let age = 0;
  const before = (i: number, j: number): boolean => {
    const [a, b] = [heights[cells[i]!]!, heights[cells[j]!]!];
    return a > b || (a === b && ages[i]! < ages[j]!);
  };
  const swap = (i: number, j: number): void => {
    [cells[i], cells[j]] = [cells[j]!, cells[i]!];
    [ages[i], ages[j]] = [ages[j]!, ages[i]!];
  };
  return {
    push(cell) {
      let i = cells.push(cell) - 1;
      ages.push(age++);
      for (let up = (i - 1) >> 1; i > 0 && before(i, up); up = (i - 1) >> 1) {
        swap(i, up);
        i = up;
      }
    },
    pop() {
      if (cells.length === 0) return -1;
      swap(0, cells.length - 1);
      const top = cells.pop()!;
      ages.pop();
      for (let i = 0; ;) {
        const [left, right] = [2 * i + 1, 2 * i + 2];
        let first = i;
        if (left < cells.length && before(left, first)) first = left;
        if (right < cells.length && before(right, first)) first = right;
        if (first === i) return top;
        swap(i, first);
        i = first;
      }
    },
  };
}
