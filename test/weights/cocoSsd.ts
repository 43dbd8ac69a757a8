import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { catalog } from '../../src/weights/catalog.js';
import { openSource } from '../../src/weights/sources/source.js';

/** What the published GraphModel computes before its post-processing, in our order. */
interface CocoSsdOutputs {
  /** [1917, 4]: tx, ty, tw, th, still multiplied by the coder's 10, 10, 5, 5 (TensorFlow: ty, tx, th, tw). */
  readonly boxDeltas: Float32Array;
  /** [1917, 90]: COCO ids 1…90, before the sigmoid (TensorFlow: background first). */
  readonly logits: Float32Array;
}

export interface CocoSsd {
  /** Input [300·300·3], RGB in [-1, 1]. */
  run(input: Float32Array): Promise<CocoSsdOutputs>;
  /** Pixels [height, width, 3], 0…255, resized by the GraphModel itself (bilinear, corners not aligned, no antialiasing);
   *  `input` is what it then fed to the network. */
  runPicture(picture: PictureLike): Promise<CocoSsdOutputs & { readonly input: Float32Array }>;
  /** [1917, 4]: ymin, xmin, ymax, xmax as fractions of the image, in the order of the outputs. */
  readonly anchors: Float32Array;
  dispose(): void;
}
interface PictureLike {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export const ANCHORS = 1917;
const COLUMNS = 91;
/** Nodes of the GraphModel: the network's input after resizing and scaling, box encodings [1,1917,4], logits [1,1917,91]. */
const [INPUT, BOXES, LOGITS, ANCHOR_BOXES] = ['Preprocessor/sub', 'Squeeze', 'concat_1', 'Postprocessor/ExpandDims'];

/** The oracle: the COCO model run by tfjs-converter on the wasm backend, reading its files without our reader. */
export async function openCocoSsd(): Promise<CocoSsd> {
  const wasm = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(dirname(wasm) + sep);
  if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend does not start');
  const { file } = await openSource(catalog[0]!.uri);
  const { modelTopology, weightsManifest } = JSON.parse(await readFile(file, 'utf8')) as {
    modelTopology: object;
    weightsManifest: tf.io.WeightsManifestConfig;
  };
  const shards = await Promise.all(weightsManifest[0]!.paths.map((path) => readFile(join(dirname(file), path))));
  const weightData = new Uint8Array(Buffer.concat(shards)).buffer;
  const weightSpecs = weightsManifest[0]!.weights;
  const model = await tf.loadGraphModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
  const anchors = (await model.weights[ANCHOR_BOXES]![0]!.data()) as Float32Array;

  const execute = async (feeds: tf.NamedTensorMap, fetches: string[]): Promise<Float32Array[]> => {
    const loops = 'image_tensor' in feeds; // the graph resizes the image in a while loop
    const outputs = (loops ? await model.executeAsync(feeds, fetches) : model.execute(feeds, fetches)) as tf.Tensor[];
    const values = await Promise.all(outputs.map((output) => output.data()));
    tf.dispose([outputs, feeds]);
    return values as Float32Array[];
  };
  return {
    anchors,
    async run(input) {
      const [boxes, logits] = await execute({ [INPUT]: tf.tensor4d(input, [1, 300, 300, 3]) }, [BOXES, LOGITS]);
      return toOurOrder(boxes!, logits!);
    },
    async runPicture({ data, width, height }) {
      const image = tf.tensor4d(Int32Array.from(data), [1, height, width, 3], 'int32');
      const [boxes, logits, input] = await execute({ image_tensor: image }, [BOXES, LOGITS, INPUT]);
      return { ...toOurOrder(boxes!, logits!), input: input! };
    },
    dispose: () => model.dispose(),
  };
}

function toOurOrder(boxes: Float32Array, logits: Float32Array): CocoSsdOutputs {
  return {
    boxDeltas: boxes.map((_, i) => boxes[i ^ 1]!), // ty tx th tw → tx ty tw th
    logits: logits.filter((_, i) => i % COLUMNS !== 0),
  };
}

export const maxDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`);
  return Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
};
