/** The operators of TFLite that we write, with the numbers of its schema (tensorflow/compiler/mlir/lite/schema/schema.fbs):
 *  the code of the operator, the tag and the fields of its table of options, and the least version of the operator that
 *  computes with float32 and with int8. */

type FieldType = 'int8' | 'int32' | 'float32' | 'bool' | 'ints';
type Field = readonly [slot: number, type: FieldType];

export interface Operator {
  readonly code: number;
  /** Tag of the table in the union BuiltinOptions; 0 for an operator without options. */
  readonly options: number;
  readonly fields: Readonly<Record<string, Field>>;
  readonly versions: readonly [float32: number, int8: number];
}

const operator = (
  code: number,
  options: number,
  fields: Readonly<Record<string, Field>> = {},
  versions: Operator['versions'] = [1, 2],
): Operator => ({ code, options, fields, versions });

const activation = (slot: number) => ({ activation: [slot, 'int8'] }) as const;
const reducer = { keepDims: [0, 'bool'] } as const;
const pool = {
  padding: [0, 'int8'],
  strideWidth: [1, 'int32'],
  strideHeight: [2, 'int32'],
  filterWidth: [3, 'int32'],
  filterHeight: [4, 'int32'],
  ...activation(5),
} as const;

export const operators = {
  ABS: operator(101, 78),
  ADD: operator(0, 11, activation(0)),
  AVERAGE_POOL_2D: operator(1, 5, pool),
  BATCH_MATMUL: operator(126, 101, { transposeA: [0, 'bool'], transposeB: [1, 'bool'] }),
  BROADCAST_TO: operator(130, 104, {}, [2, 2]),
  CAST: operator(53, 37, { from: [0, 'int8'], to: [1, 'int8'] }),
  CONCATENATION: operator(2, 10, { axis: [0, 'int32'], ...activation(1) }),
  CONV_2D: operator(
    3,
    1,
    {
      padding: [0, 'int8'],
      strideWidth: [1, 'int32'],
      strideHeight: [2, 'int32'],
      ...activation(3),
      dilationWidth: [4, 'int32'],
      dilationHeight: [5, 'int32'],
    },
    [1, 3],
  ),
  DEPTHWISE_CONV_2D: operator(
    4,
    2,
    {
      padding: [0, 'int8'],
      strideWidth: [1, 'int32'],
      strideHeight: [2, 'int32'],
      multiplier: [3, 'int32'],
      ...activation(4),
      dilationWidth: [5, 'int32'],
      dilationHeight: [6, 'int32'],
    },
    [2, 3],
  ),
  DEQUANTIZE: operator(6, 38, {}, [3, 2]),
  DIV: operator(42, 29, activation(0)),
  EQUAL: operator(71, 53),
  EXP: operator(47, 33),
  FULLY_CONNECTED: operator(9, 8, { ...activation(0), keepDims: [2, 'bool'] }, [1, 4]),
  GATHER: operator(36, 23, { axis: [0, 'int32'], batchAxes: [1, 'int32'] }, [5, 5]),
  GREATER: operator(61, 44),
  GREATER_EQUAL: operator(62, 45),
  HARD_SWISH: operator(117, 91, {}, [1, 1]),
  LEAKY_RELU: operator(98, 75, { slope: [0, 'float32'] }),
  LOG: operator(73, 0),
  LOGISTIC: operator(14, 0),
  LOG_SOFTMAX: operator(50, 36),
  MAXIMUM: operator(55, 39),
  MAX_POOL_2D: operator(17, 5, pool),
  MEAN: operator(40, 27, reducer),
  MINIMUM: operator(57, 39),
  MUL: operator(18, 21, activation(0)),
  NEG: operator(59, 42),
  NON_MAX_SUPPRESSION_V4: operator(120, 95, {}, [1, 1]),
  ONE_HOT: operator(85, 61, { axis: [0, 'int32'] }, [1, 1]),
  PAD: operator(34, 22),
  PADV2: operator(60, 43),
  POW: operator(78, 56),
  QUANTIZE: operator(114, 89, {}, [1, 1]),
  REDUCE_MAX: operator(82, 27, reducer),
  RELU: operator(19, 0),
  RELU6: operator(21, 0),
  RESHAPE: operator(22, 17, { shape: [0, 'ints'] }, [1, 1]),
  RESIZE_BILINEAR: operator(23, 15, { alignCorners: [2, 'bool'], halfPixelCentres: [3, 'bool'] }, [3, 3]),
  RESIZE_NEAREST_NEIGHBOR: operator(97, 74, { alignCorners: [0, 'bool'], halfPixelCentres: [1, 'bool'] }, [1, 2]),
  RSQRT: operator(76, 0),
  SELECT_V2: operator(123, 98, {}, [1, 1]),
  SIGN: operator(158, 0),
  SLICE: operator(65, 48),
  SOFTMAX: operator(25, 9, { beta: [0, 'float32'] }),
  SQRT: operator(75, 0),
  SQUARE: operator(92, 66),
  SUB: operator(41, 28, activation(0)),
  SUM: operator(74, 27, reducer),
  TOPK_V2: operator(48, 34),
  TRANSPOSE: operator(39, 26),
} satisfies Readonly<Record<string, Operator>>;
export type OperatorName = keyof typeof operators;

/** Values of the schema's enumerations. */
export const PADDING = { same: 0, valid: 1 } as const;
export const ACTIVATION = { none: 0, relu: 1, relu6: 3 } as const;
export type FusedActivation = keyof typeof ACTIVATION;
export const TENSOR_TYPE = { float32: 0, float16: 1, int32: 2, uint8: 3, bool: 6, int8: 9 } as const;
export type TfliteType = keyof typeof TENSOR_TYPE;
