/** The graph: all computation as data. Nodes carry their shapes; there is no control flow.
 *  Layouts are TensorFlow's: images NHWC, convolution filters HWIO, depthwise filters HWC1, linear weights IO. */

export type Shape = readonly number[];
export type DType = 'float32' | 'int32' | 'bool';

export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** One output of a node. */
export interface Value extends TensorType {
  readonly node: Node;
  readonly index: number;
}

export interface Node<K extends Op = Op> {
  readonly graph: Graph;
  readonly id: number;
  readonly op: K;
  readonly inputs: readonly Value[];
  readonly attrs: Ops[K];
  readonly outputs: readonly Value[];
}

/** Nodes in topological order: each comes after its inputs. */
export interface Graph {
  readonly nodes: Node[];
}

/** Rows added before and after, columns added before and after. */
export type Padding = readonly [readonly [number, number], readonly [number, number]];

export interface Window {
  readonly stride: number;
  readonly padding: Padding;
  readonly dilation: number;
}

export interface Convolution extends Window {
  /** Number of groups of channels that are convolved separately; default 1. */
  readonly groups?: number;
}

export interface Pool {
  readonly kernel: readonly [number, number];
  readonly stride: number;
}

export type Interpolation = 'nearest' | 'bilinear';

/** The purpose of a parameter: weights, biases, scales and shifts are trained; mean and variance are statistics; slots
 *  belong to the optimizer and to moving averages. */
export type Role = 'weight' | 'bias' | 'scale' | 'shift' | 'mean' | 'variance' | 'slot';

/** Decides the layout of the parameter in files and other frameworks (weights/layout.ts). */
export type ParamKind = 'conv' | 'depthwise' | 'linear' | 'vector';

export type Init =
  | { readonly type: 'constant'; readonly value: number }
  | { readonly type: 'normal'; readonly std: number }
  /** Normal with variance 2/fan: He et al. 2015 (arXiv:1502.01852). */
  | { readonly type: 'kaiming'; readonly fan: 'in' | 'out' };

export interface ParamAttrs {
  /** The path of its layer in timm's style: backbone.blocks.3.1.conv_dw.weight. */
  readonly name: string;
  readonly role: Role;
  readonly kind: ParamKind;
  readonly init: Init;
}

type None = Readonly<Record<string, never>>;
interface Axes {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}
interface Norm {
  readonly epsilon: number;
  /** True: normalise with the statistics of this batch. False: with the running ones, which then are ordinary inputs. */
  readonly training: boolean;
  /** Weight of a training batch in the running statistics: running ← (1 − momentum)·running + momentum·batch. */
  readonly momentum: number;
}

export type Unary =
  | 'neg' | 'abs' | 'sign' | 'square' | 'sqrt' | 'rsqrt' | 'exp' | 'log'
  | 'sigmoid' | 'softplus' | 'relu' | 'relu6' | 'swish' | 'hardSwish'; // prettier-ignore
export type Binary = 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum';
export type Comparison = 'greater' | 'greaterEqual' | 'equal';
/** dy, and the activation's input or output or both → dx. */
export type ActivationGrad = 'reluGrad' | 'relu6Grad' | 'sigmoidGrad' | 'swishGrad' | 'hardSwishGrad';

/** Every op with its attributes. An interpreter is a table `satisfies { [K in Op]: Rule<K> }`. */
export interface Ops
  extends Record<Unary, None>, Record<Binary, None>, Record<Comparison, None>, Record<ActivationGrad, None> {
  /** A value that is fed in every run. */
  input: TensorType & { readonly name: string };
  /** A variable of the session. */
  param: ParamAttrs & { readonly shape: Shape };
  constant: TensorType & { readonly values: readonly number[] };

  /** x [N,H,W,G·I], filter [kh,kw,I,O] → [N,H',W',O]. */
  conv: Convolution;
  convInputGrad: Convolution & { readonly inputShape: Shape }; // filter, dy → dx
  convFilterGrad: Convolution & { readonly filterShape: Shape }; // x, dy → dfilter
  /** x [N,H,W,C], filter [kh,kw,C,1] → [N,H',W',C]. */
  depthwise: Window;
  depthwiseInputGrad: Window & { readonly inputShape: Shape };
  depthwiseFilterGrad: Window & { readonly filterShape: Shape };
  /** a [M,K] (or its transpose), b [K,N] (or its transpose) → [M,N]. */
  matMul: { readonly transposeA: boolean; readonly transposeB: boolean };
  /** x [...,C], bias [C]. */
  biasAdd: None;
  /** x [N,H,W,C], scale, shift, running mean, running variance [C] → y, batch mean, unbiased batch variance, and three
   *  values saved for the gradient. */
  batchNorm: Norm;
  batchNormGrad: Norm; // dy, x, scale, saved ×3 → dx, dscale, dshift
  /** Average over all of H and W, [N,H,W,C] → [N,1,1,C]. */
  globalAveragePool: None;
  /** Largest value of each window, [N,H,W,C] → [N,H',W',C]; padding never counts as the largest. */
  maxPool: Pool & { readonly padding: Padding };
  maxPoolGrad: Pool & { readonly padding: Padding }; // dy, x, y → dx; the first of equal maxima gets the whole gradient
  /** Mean of each window, [N,H,W,C] → [N,H',W',C]. Padding is a separate node, so its zeros count in the mean. */
  averagePool: Pool;
  averagePoolGrad: Pool & { readonly inputShape: Shape }; // dy → dx

  /** Resizes images, [N,H,W,C] → [N,H',W',C], sampled as PyTorch's interpolate does with align_corners=False: `nearest`
   *  takes the pixel ⌊i·H/H'⌋, `bilinear` interpolates between pixels' centres at (i + ½)·H/H' − ½. */
  resize: { readonly method: Interpolation; readonly size: readonly [number, number] };
  resizeGrad: { readonly method: Interpolation; readonly inputShape: Shape }; // dy → dx

  /** Samples windows of images bilinearly on a grid: images [N,H,W,C]; the first and the last sample point of each
   *  window, [R,4] as y, x, y, x in pixels (a pixel's value is at its index); the index of its image, int32 [R] →
   *  [R,h,w,C]. A sample outside 0…H−1, 0…W−1 is 0. The windows get no gradient. */
  cropAndResize: { readonly size: readonly [number, number] };
  cropAndResizeGrad: { readonly inputShape: Shape }; // dy, windows, image indices → dimages
  /** Picks rows of each image: x [N,A,…], indices int32 [N,K] → [N,K,…]. No gradient passes. */
  gather: None;
  /** Greedy suppression in each image: boxes Xyxy [N,P,4], scores [N,P] → int32 [N,limit], the rows whose overlap with
   *  every better row that is kept is at most the threshold, best first, padded with row 0; and int32 [N], how many
   *  rows are kept. */
  nonMaxSuppression: { readonly threshold: number; readonly limit: number };

  /** x ≥ 0 raised to a constant exponent of at least 1. */
  power: { readonly exponent: number };
  /** condition (bool), a, b of equal shapes → a where the condition holds, else b. */
  select: None;
  cast: { readonly dtype: DType };
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  concat: { readonly axis: number };
  slice: { readonly begin: readonly number[]; readonly size: Shape };
  pad: { readonly paddings: readonly (readonly [number, number])[] };
  broadcastTo: { readonly shape: Shape };
  sum: Axes;
  max: Axes;
  /** int32 [...] → float32 [..., depth]; an index outside 0…depth−1 gives zeros. */
  oneHot: { readonly depth: number };
  /** The k largest values along the last axis, in descending order, and their int32 indices. */
  topK: { readonly k: number };
  /** logits [N,C], class indices int32 [N] → loss [N], and its gradient per row [N,C]. */
  softmaxCrossEntropy: None;
  stopGradient: None;
  /** seed int32 [2], which must be an input → uniform in [0, 1). On one engine equal seeds and streams give equal
   *  numbers; engines differ. */
  randomUniform: { readonly shape: Shape; readonly stream: number };

  /** Replaces each input, a float32 value, by its mean over all workers that train together: outputs of the same shapes.
   *  With `adds`, a worker first adds the sums that it keeps under this name, which are 0 after that. */
  workersMean: { readonly adds: string | null };
  /** Adds its inputs, float32 values, to the sums that this worker keeps under a name, when a program lists it among its
   *  updates. Its output, a scalar, has no meaning. */
  addToSums: { readonly name: string };

  /** Stores its input in the parameter called `name`, when a program lists it among its updates. */
  assign: { readonly name: string };
}

export type Op = keyof Ops;
