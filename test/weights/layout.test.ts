import { describe, expect, it } from '@jest/globals';
import * as fc from '../fastCheck.js';
import type { ParamKind } from '../../src/graph/spec.js';
import { fromTorch, pickColumns, torchShape, toTorch } from '../../src/weights/layout.js';

const counted = (shape: readonly number[]) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => i),
});
const size = fc.integer({ min: 1, max: 5 });
const SHAPES: Record<ParamKind, fc.Arbitrary<number[]>> = {
  conv: fc.tuple(size, size, size, size),
  depthwise: fc.tuple(size, size, size, fc.constant(1)),
  linear: fc.tuple(size, size),
  vector: fc.array(size, { maxLength: 3 }),
};

describe('layout', () => {
  it.each(Object.keys(SHAPES) as ParamKind[])('%s: there and back is nothing', (kind) => {
    fc.assert(
      fc.property(SHAPES[kind], (shape) => {
        const torch = toTorch(kind, counted(shape));
        expect(torch.shape).toEqual(torchShape(kind, shape));
        expect(fromTorch(kind, torch)).toEqual(counted(shape));
      }),
    );
  });

  it('HWIO becomes OIHW, value by value', () => {
    const [H, W, I, O] = [2, 3, 4, 5];
    const ours = counted([H, W, I, O]);
    const torch = toTorch('conv', ours);
    expect(torch.shape).toEqual([O, I, H, W]);
    const at = (o: number, i: number, h: number, w: number) => torch.data[((o * I + i) * H + h) * W + w];
    for (let o = 0; o < O; o++) {
      for (let i = 0; i < I; i++) {
        for (let h = 0; h < H; h++) {
          for (let w = 0; w < W; w++) expect(at(o, i, h, w)).toBe(((h * W + w) * I + i) * O + o);
        }
      }
    }
  });

  it('HWC1 becomes C1HW and IO becomes OI', () => {
    expect(toTorch('depthwise', counted([1, 2, 3, 1]))).toEqual({
      shape: [3, 1, 1, 2],
      data: Float32Array.of(0, 3, 1, 4, 2, 5),
    });
    expect(toTorch('linear', counted([2, 3]))).toEqual({ shape: [3, 2], data: Float32Array.of(0, 3, 1, 4, 2, 5) });
  });

  it('refuses a shape of the wrong rank as our own mistake', () => {
    expect(() => toTorch('conv', counted([2, 2]))).toThrow('internal');
  });
});

describe('pickColumns', () => {
  it('reorders, drops and leaves zeros in every group', () => {
    const picked = pickColumns(counted([2, 6]), 3, [2, -1]); // two groups of three
    expect(picked).toEqual({ shape: [2, 4], data: Float32Array.of(2, 0, 5, 0, 8, 0, 11, 0) });
  });
});
