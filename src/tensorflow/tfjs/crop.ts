import type { Value } from '../../graph/spec.js';
import { finiteBoxes } from '../boxes.js';
import { op1, op2, reshapeTo, rowsAt, sliceOf, type Rule } from '../emission.js';
import { DT, type GraphDef } from '../graphDef.js';

/** The kernel of WebGL takes the number of a window for that of its image, so that the windows are sampled by gathers of the
 *  four pixels around each point. */
export const cropAndResize: Rule<'cropAndResize'> = (
  { attrs: { size }, inputs },
  { def, inputs: [images, given, index] },
) => {
  const [image, windows] = inputs as [Value, Value];
  const [n, height, width, channels] = image.shape as [number, number, number, number];
  const count = windows.shape[0]!;
  const [rows, columns] = size;
  const finite = finiteBoxes(def, given!);
  const y = axis(def, finite, { count, first: 0, samples: rows, length: height, shape: [count, rows, 1] });
  const x = axis(def, finite, { count, first: 1, samples: columns, length: width, shape: [count, 1, columns] });
  const pixels = reshapeTo(def, images!, [n * height * width, channels]);
  const number = def.add('Cast', [index!], { SrcT: { type: DT.int32 }, DstT: { type: DT.float32 } });
  const start = op2(def, 'Mul', reshapeTo(def, number, [count, 1, 1]), def.float(height * width));
  const corner = (vertical: Side, horizontal: Side): string => {
    const row = op2(def, 'AddV2', start, op2(def, 'Mul', vertical.at, def.float(width)));
    const place = reshapeTo(def, op2(def, 'AddV2', row, horizontal.at), [count * rows * columns]);
    const picked = rowsAt(
      def,
      pixels,
      def.add('Cast', [place], { SrcT: { type: DT.float32 }, DstT: { type: DT.int32 } }),
      0,
    );
    const weight = op2(def, 'Mul', vertical.weight, horizontal.weight);
    return op2(def, 'Mul', picked, reshapeTo(def, weight, [count * rows * columns, 1]));
  };
  const corners = [y.low, y.high].flatMap((vertical) =>
    [x.low, x.high].map((horizontal) => corner(vertical, horizontal)),
  );
  const sum = corners.reduce((total, one) => op2(def, 'AddV2', total, one));
  return [reshapeTo(def, sum, [count, rows, columns, channels])];
};

/** A pixel beside each sample along an axis, and its weight, which is 0 for samples outside of the image. */
interface Side {
  readonly at: string;
  readonly weight: string;
}

function axis(
  def: GraphDef,
  windows: string,
  {
    count,
    first,
    samples,
    length,
    shape,
  }: { count: number; first: 0 | 1; samples: number; length: number; shape: number[] },
): { readonly low: Side; readonly high: Side } {
  const end = (column: number): string => sliceOf(def, windows, [0, column], [count, 1]);
  const [from, to] = [end(first), end(first + 2)];
  const shares = Array.from({ length: samples }, (_, i) => (samples > 1 ? i / (samples - 1) : 0.5));
  const tensor = { dtype: 'float32', shape: [1, samples], values: shares } as const;
  const steps = def.add('Const', [], { dtype: { type: DT.float32 }, value: { tensor } });
  const points = op2(def, 'AddV2', from, op2(def, 'Mul', op2(def, 'Sub', to, from), steps));
  const most = def.float(length - 1);
  const flag = (op: string, a: string, b: string): string =>
    def.add('Cast', [op2(def, op, a, b)], { SrcT: { type: DT.bool }, DstT: { type: DT.float32 } });
  const inside = op2(def, 'Mul', flag('GreaterEqual', points, def.float(0)), flag('GreaterEqual', most, points));
  const limited = op2(def, 'Minimum', op2(def, 'Maximum', points, def.float(0)), most);
  const low = op1(def, 'Floor', limited);
  const share = op2(def, 'Sub', limited, low);
  const placed = (at: string, weight: string): Side => ({
    at: reshapeTo(def, at, shape),
    weight: reshapeTo(def, op2(def, 'Mul', weight, inside), shape),
  });
  return {
    low: placed(low, op2(def, 'Sub', def.float(1), share)),
    high: placed(op2(def, 'Minimum', op2(def, 'AddV2', low, def.float(1)), most), share),
  };
}
