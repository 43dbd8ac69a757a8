/** The graph: everything that computes, as data. Nodes carry their shapes; there is no control flow.
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

/** Nodes in an order in which each comes after its inputs. */
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
  /** Input and output channels in this many groups, each convolved for itself. Without it: one. */
  readonly groups?: number;
}

export interface Pool {
  readonly kernel: readonly [number, number];
  readonly stride: number;
}

export type Interpolation = 'nearest' | 'bilinear';

/** What a parameter is to the optimizer: only weights decay; statistics are not trained; slots belong to the optimizer. */
export type Role = 'weight' | 'bias' | 'scale' | 'shift' | 'mean' | 'variance' | 'slot';

/** How files and other frameworks lay the parameter out (weights/layout.ts). */
export type ParamKind = 'conv' | 'depthwise' | 'linear' | 'vector';

export type Init =
  | { readonly type: 'constant'; readonly value: number }
  | { readonly type: 'normal'; readonly std: number }
  /** Normal with variance 2/fan: He et al. 2015 (arXiv:1502.01852). */
  | { readonly type: 'kaiming'; readonly fan: 'in' | 'out' };

export interface ParamAttrs {
  /** The node path in timm's style: backbone.blocks.3.1.conv_dw.weight. */
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
  /** True: statistics of this batch. False: the running ones, which then are inputs like any other. */
  readonly training: boolean;
  /** Share of a training batch in the running statistics: running ← (1 − momentum)·running + momentum·batch. */
  readonly momentum: number;
}

export type Unary =
  | 'neg' | 'abs' | 'sign' | 'square' | 'sqrt' | 'rsqrt' | 'exp' | 'log'
  | 'sigmoid' | 'softplus' | 'relu' | 'relu6' | 'swish' | 'hardSwish'; // prettier-ignore
export type Binary = 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum';
export type Comparison = 'greater' | 'greaterEqual' | 'equal';
/** dy and what the activation saw or gave → dx. */
export type ActivationGrad = 'reluGrad' | 'relu6Grad' | 'sigmoidGrad' | 'swishGrad' | 'hardSwishGrad';

/** Every op with its attributes. An interpreter is a table `satisfies { [K in Op]: Rule<K> }`. */
export interface Ops
  extends Record<Unary, None>, Record<Binary, None>, Record<Comparison, None>, Record<ActivationGrad, None> {
  /** Fed before each run. */
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
  /** x [N,H,W,C], scale, shift, running mean, running variance [C] → y, batch mean, unbiased batch variance, and three saved for the gradient. */
  batchNorm: Norm;
  batchNormGrad: Norm; // dy, x, scale, saved ×3 → dx, dscale, dshift
  /** Average over all of H and W, [N,H,W,C] → [N,1,1,C]. */
  globalAveragePool: None;
  /** Largest value of each window, [N,H,W,C] → [N,H',W',C]; what is padded is never the largest. */
  maxPool: Pool & { readonly padding: Padding };
  maxPoolGrad: Pool & { readonly padding: Padding }; // dy, x, y → dx; the first of equal maxima takes it all
  /** Mean of each window, [N,H,W,C] → [N,H',W',C]; padding is a node of its own, and counts. */
  averagePool: Pool;
  averagePoolGrad: Pool & { readonly inputShape: Shape }; // dy → dx

  /** Images of another size, [N,H,W,C] → [N,H',W',C], sampled as PyTorch's interpolate does with align_corners=False: `nearest` takes
   *  the pixel ⌊i·H/H'⌋, `bilinear` interpolates between pixels' centres at (i + ½)·H/H' − ½. */
  resize: { readonly method: Interpolation; readonly size: readonly [number, number] };
  resizeGrad: { readonly method: Interpolation; readonly inputShape: Shape }; // dy → dx

  /** Windows of images, sampled bilinearly on a grid: images [N,H,W,C]; the first and last sample of each window, [R,4] as y, x, y, x in
   *  pixels (a pixel's own value lies at its index); its image, int32 [R] → [R,h,w,C]. A sample outside 0…H−1, 0…W−1 is 0. The windows get no gradient. */
  cropAndResize: { readonly size: readonly [number, number] };
  cropAndResizeGrad: { readonly inputShape: Shape }; // dy, windows, image indices → dimages
  /** Rows of each image: x [N,A,…], indices int32 [N,K] → [N,K,…]. No gradient passes. */
  gather: None;
  /** Greedy suppression in each image: boxes Xyxy [N,P,4], scores [N,P] → int32 [N,limit], the rows that overlap no better kept one by more than
   *  the threshold, best first, filled up with row 0; and int32 [N], how many they are. */
  nonMaxSuppression: { readonly threshold: number; readonly limit: number };

  /** x ≥ 0 to a constant power of at least 1. */
  power: { readonly exponent: number };
  /** condition (bool), a, b of one shape. */
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
  /** Last axis sorted descending, the first k: values and int32 indices. */
  topK: { readonly k: number };
  /** logits [N,C], class indices int32 [N] → loss [N], and its gradient per row [N,C]. */
  softmaxCrossEntropy: None;
  stopGradient: None;
  /** seed int32 [2] (an input: it is fed) → uniform in [0, 1). Equal seeds and streams give equal numbers on one engine; engines differ. */
  randomUniform: { readonly shape: Shape; readonly stream: number };

  /** Stores the input in the parameter called name. Runs when a program lists it among its updates. */
  assign: { readonly name: string };
}

export type Op = keyof Ops;
