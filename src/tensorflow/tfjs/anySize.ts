import { intTensor, op1, op2, reshapeTo, T } from '../emission.js';
import { createGraphDef, DT, type Attr, type GraphDef } from '../graphDef.js';
import type { EmittedInference, SignaturePort } from '../inference.js';

/** Reads photos of any size: the nodes before a net that bring a photo to its size, and the nodes after it that bring boxes
 *  back to shares of the photo. */

export interface AnySize {
  /** The input of the net, and the output with its boxes [...,4], y, x, y, x as shares of the input. */
  readonly image: string;
  readonly boxes: string;
  /** Height and width of the input. */
  readonly size: readonly [number, number];
  /** Whether a photo keeps its proportions, between margins of the colour `fill`. */
  readonly resize: 'stretch' | 'letterbox';
  readonly fill: readonly number[];
}

/** The input that takes photos: int32 [1, any height, any width, 3]. */
export const PHOTO_INPUT = 'image_tensor';
const ANY = -1;

/** Samples in each direction for a pixel of the result. An odd number, so that one lies at its centre. */
const SAMPLES = 3;
const EDGE = (SAMPLES - 1) / 2;

/** Returns the model with an input for photos in place of its own. A photo is sampled bilinearly at more points than the input
 *  has, and a triangle as wide as what a pixel covers weights them: about what resizing with antialiasing does. A photo that is
 *  not larger than the input is sampled at the centres alone. */
export function takeAnySize({ nodes, outputs }: EmittedInference, options: AnySize): EmittedInference {
  const { image, boxes, size } = options;
  const def = createGraphDef();
  const after = createGraphDef();
  const photo: SignaturePort = { key: PHOTO_INPUT, node: PHOTO_INPUT, shape: [1, ANY, ANY, 3], dtype: 'int32' };
  const placed = def.within('photo', () => {
    const given = def.add(
      'Placeholder',
      [],
      { dtype: { type: DT.int32 }, shape: { shape: photo.shape } },
      { name: photo.node },
    );
    const cast = def.add('Cast', [given], { SrcT: { type: DT.int32 }, DstT: { type: DT.float32 } });
    // executeAsync warns at every call about models without an op of control flow, and this one is free.
    const pixels = def.add('Merge', [cast], { ...T, N: { int: 1 } });
    const extent = extentOf(def, pixels);
    const shares = op2(def, 'RealDiv', extent, vector(def, size)); // pixels of the photo for a pixel of the input
    const { fine, widths, box } = sample(def, pixels, { extent, shares, ...options });
    def.add('Identity', [smooth(def, fine, widths)], T, { name: image });
    return box;
  });
  if (!placed)
    return { nodes: [...def.nodes, ...nodes.filter(({ name }) => name !== image)], inputs: [photo], outputs };
  const inner = `${boxes}/input`;
  after.within('photo_boxes', () => {
    const moved = op2(after, 'Sub', inner, placed.offset);
    after.add('Identity', [op2(after, 'RealDiv', moved, placed.length)], T, { name: boxes });
  });
  const renamed = nodes
    .filter(({ name }) => name !== image)
    .map((node) => (node.name === boxes ? { ...node, name: inner } : node));
  return { nodes: [...def.nodes, ...renamed, ...after.nodes], inputs: [photo], outputs };
}

const constant = (def: GraphDef, shape: readonly number[], values: readonly number[]): string =>
  def.add('Const', [], { dtype: { type: DT.float32 }, value: { tensor: { dtype: 'float32', shape, values } } });
const vector = (def: GraphDef, values: readonly number[]): string => constant(def, [values.length], values);
const reduced = (def: GraphDef, op: string, x: string, keep: boolean): string =>
  def.add(op, [x, def.ints([-1])], { ...T, keep_dims: { bool: keep } });

/** Height and width of the photo, float32 [2]. */
function extentOf(def: GraphDef, photo: string): string {
  const int = { type: DT.int32 };
  const shape = def.add('Shape', [photo], { ...T, out_type: int });
  const sides = def.add('Slice', [shape, def.ints([1]), def.ints([2])], { T: int, Index: int });
  return def.add('Cast', [sides], { SrcT: int, DstT: { type: DT.float32 } });
}

interface Sampled {
  /** [1, height · SAMPLES, width · SAMPLES, 3] */
  readonly fine: string;
  /** Pixels of the photo for a pixel of the input, downwards and across: [2]. */
  readonly widths: string;
  /** Where the photo lies in the input, as y, x, y, x in shares of the input; undefined where it fills it. */
  readonly box?: { readonly offset: string; readonly length: string };
}

function sample(
  def: GraphDef,
  pixels: string,
  { extent, shares, size, resize, fill }: AnySize & { readonly extent: string; readonly shares: string },
): Sampled {
  const goal = size.map((side) => side * SAMPLES);
  const centres: Record<string, Attr> = { ...T, half_pixel_centers: { bool: true } };
  if (resize === 'stretch')
    return { fine: def.add('ResizeBilinear', [pixels, def.ints(goal)], centres), widths: shares };
  // The edges of the photo are rounded to whole pixels of the input, as in training.
  const length = op2(def, 'RealDiv', extent, reduced(def, 'Max', shares, true));
  const margins = op2(def, 'Mul', op2(def, 'Sub', vector(def, size), length), def.float(0.5));
  const first = op1(def, 'Round', margins);
  const covered = op2(def, 'Sub', op1(def, 'Round', op2(def, 'AddV2', margins, length)), first);
  const widths = op2(def, 'RealDiv', extent, covered);
  // CropAndResize samples from the first to the last point, and has zeros outside of the photo. A row and a column of the photo's
  // edge are added on each side, so that the outermost half pixel is the edge's.
  const colour = constant(def, [1, 1, 1, 3], fill);
  const edged = mirrored(def, op2(def, 'Sub', pixels, colour), 1);
  const pointOf = (place: readonly number[]): string => {
    const inPhoto = op2(def, 'Mul', op2(def, 'Sub', vector(def, place), first), widths);
    return op2(def, 'RealDiv', op2(def, 'AddV2', inPhoto, def.float(0.5)), op2(def, 'AddV2', extent, def.float(1)));
  };
  const half = 0.5 / SAMPLES;
  const ends = [pointOf([half, half]), pointOf(size.map((side) => side - half))];
  const window = reshapeTo(def, joined(def, ends), [1, 4]);
  const attrs = { ...T, method: { string: 'bilinear' }, extrapolation_value: { float: 0 } };
  const crop = def.add('CropAndResize', [edged, window, intTensor(def, [1], [0]), def.ints(goal)], attrs);
  const shareOf = (place: string): string => {
    const share = op2(def, 'RealDiv', place, vector(def, size));
    return joined(def, [share, share]);
  };
  return {
    fine: op2(def, 'AddV2', crop, colour),
    widths,
    box: { offset: shareOf(first), length: shareOf(covered) },
  };
}

const joined = (def: GraphDef, parts: readonly string[]): string =>
  def.add('ConcatV2', [...parts, intTensor(def, [], [0])], {
    ...T,
    N: { int: parts.length },
    Tidx: { type: DT.int32 },
  });

const mirrored = (def: GraphDef, x: string, amount: number): string =>
  def.add('MirrorPad', [x, intTensor(def, [4, 2], [0, 0, amount, amount, amount, amount, 0, 0])], {
    ...T,
    Tpaddings: { type: DT.int32 },
    mode: { string: 'SYMMETRIC' },
  });

/** Weights the samples by a triangle around each pixel of the result. Between its pixels the photo is interpolated, which
 *  smooths as well: the triangle is narrower than a pixel of the result by as much, and one sample wide if the photo is not
 *  larger than the input. */
function smooth(def: GraphDef, fine: string, widths: string): string {
  const taps = Array.from({ length: 2 * SAMPLES - 1 }, (_, i) => Math.abs(i - SAMPLES + 1) / SAMPLES);
  const rest = op2(def, 'Sub', def.float(1), op2(def, 'RealDiv', def.float(1), op1(def, 'Square', widths)));
  const half = op2(def, 'Maximum', op1(def, 'Sqrt', op1(def, 'Relu', rest)), def.float(1 / SAMPLES));
  const columns = reshapeTo(def, half, [2, 1]);
  const weights = op1(def, 'Relu', op2(def, 'Sub', columns, constant(def, [1, taps.length], taps)));
  const shares = op2(def, 'RealDiv', weights, reduced(def, 'Sum', weights, true));
  const side = (index: number, shape: readonly number[]): string =>
    reshapeTo(
      def,
      def.add('Slice', [shares, def.ints([index, 0]), def.ints([1, taps.length])], { ...T, Index: { type: DT.int32 } }),
      shape,
    );
  const kernel = op2(def, 'Mul', side(0, [taps.length, 1, 1, 1]), side(1, [1, taps.length, 1, 1]));
  const each = op2(def, 'Mul', kernel, constant(def, [1, 1, 3, 1], [1, 1, 1]));
  return def.add('DepthwiseConv2dNative', [mirrored(def, fine, EDGE), each], {
    ...T,
    strides: { ints: [1, SAMPLES, SAMPLES, 1] },
    dilations: { ints: [1, 1, 1, 1] },
    data_format: { string: 'NHWC' },
    padding: { string: 'VALID' },
  });
}
