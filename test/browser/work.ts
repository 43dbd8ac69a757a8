import { bytesInMemory } from '../../src/bytes/byteSource.js';
import type { ClassIndex, Sample } from '../../src/data/sample.js';
import { xyxy } from '../../src/geometry/box.js';
import { polygonIou, rectangle, region } from '../../src/geometry/polygon.js';
import { count } from '../../src/graph/count.js';
import { sizeOf } from '../../src/graph/shapes.js';
import { detectionTask } from '../../src/tasks/detection/detection.js';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import { emitPrograms } from '../../src/tensorflow/program.js';
import { decodeSafetensors } from '../../src/weights/decode/safetensors.js';
import { uniform } from '../models/formula.js';

const SIDE = 128;
const placement = { scaleX: 0.5, scaleY: 0.5, offsetX: 0, offsetY: 0 };
const image = { imageId: 1, originalWidth: 256, originalHeight: 256, placement };
const sample: Sample = {
  ...image,
  kind: 'boxes',
  file: '',
  picture: { data: new Uint8Array(SIDE * SIDE * 3), width: SIDE, height: SIDE },
  boxes: xyxy([10, 20, 70, 90, 60, 5, 120, 60]),
  classes: [0, 2] as ClassIndex[],
  ignore: [false, false],
  flipped: false,
};

/** A safetensors file with the float32 tensor `bias` = [0.5, −2]. */
function tinyFile(): Uint8Array {
  const header = new TextEncoder().encode('{"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}');
  const file = new Uint8Array(8 + header.length + 8);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  file.set(new Uint8Array(Float32Array.of(0.5, -2).buffer), 8 + header.length);
  return file;
}

/** Where a target is not 0, and its value there. */
const entries = (values: ArrayLike<number>): number[][] =>
  Array.from(values, (value, i) => [i, value]).filter(([, value]) => value !== 0);

/** Builds an SSDLite on a small backbone, encodes a sample, decodes outputs and reads a file of weights: what programs in a
 *  browser need of this package. The figures are the same wherever it runs. */
export async function work() {
  const task = detectionTask({
    ...detectorDefaults.ssdlite,
    backbone: 'mobilenetv2_035',
    numClasses: 3,
    size: [SIDE, SIDE],
  });
  const { outputs } = task.build({ batch: 1, size: task.size, trainBatchNorm: () => false });
  const emitted = emitPrograms({ predict: { outputs } }, { constants: new Map(), prefersMatrices: false });
  const targets = Object.entries(task.encode(sample)).map(([name, values]) => [name, entries(values)]);
  const values = Object.entries(outputs).map(([name, { shape }]) => [name, uniform(name, sizeOf(shape), 4)]);
  const detections = task.decode(Object.fromEntries(values) as Record<string, Float32Array>, [image])[0]!;
  const overlap = polygonIou(region(rectangle(0, 0, 4, 4)), region(rectangle(2, 2, 6, 6)));
  const { tensors } = await decodeSafetensors(bytesInMemory(tinyFile(), 'tiny.safetensors'));
  return {
    count: count(Object.values(outputs)),
    graphBytes: emitted.def.finish().length,
    targets: Object.fromEntries(targets) as Record<string, number[][]>,
    detections: detections.slice(0, 20).map(({ classIndex, box, score }) => [classIndex, score, ...box]),
    overlap,
    bias: [...tensors.get('bias')!.data],
  };
}
