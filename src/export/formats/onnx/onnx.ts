import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { portsOf } from '../../../engine/file.js';
import { openOnnxFile } from '../../../engine/onnxRuntime/file.js';
import { quantize } from '../../../engine/onnxRuntime/quantize.js';
import { onDisk } from '../../../files/disk.js';
import { writeNew } from '../../../files/folders.js';
import type { Params } from '../../../graph/params.js';
import { emitOnnx, whyNotOnnx } from '../../../onnx/emit.js';
import { encodeOnnx } from '../../../onnx/encode.js';
import { halveOnnx } from '../../../onnx/halve.js';
import type { OnnxModel } from '../../../onnx/model.js';
import type { Format, Quantizing } from '../../format.js';

const FILE = 'model.onnx';

/** ONNX, operator set 17. Images inside the net have their channels first; the input and the outputs keep the layout of our
 *  graphs, with the channels last. */
export const onnx: Format = {
  name: 'onnx',
  quantizations: ['float16', 'int8'],
  whyNot: ({ program }) => whyNotOnnx({ evaluate: program }),
  async write(folder, { program, params, metadata = {} }, quantizing) {
    const { model, kept } = await quantizeModel(emitOnnx('evaluate', program, params), params, quantizing);
    await writeNew(join(folder, FILE), encodeOnnx({ ...model, metadata }));
    return { files: [FILE], kept };
  },
  async open(folder, { program }) {
    const file = join(folder, FILE);
    const bytes = await onDisk(file, () => readFile(file));
    return openOnnxFile(bytes, portsOf(program), { spins: false }); // the training engine computes in turn with it
  },
};

async function quantizeModel(
  model: OnnxModel,
  params: Params,
  quantizing: Quantizing | undefined,
): Promise<{ readonly model: OnnxModel; readonly kept: readonly string[] }> {
  if (quantizing?.type === 'float16') return { model: halveOnnx(model, (name) => params.has(name)), kept: [] };
  if (quantizing === undefined) return { model, kept: [] };
  const calibration = await quantizing.calibrate();
  const quantized = await quantize(model, calibration.feeds, calibration);
  return { model: quantized.model, kept: quantized.kept.map(({ layer }) => layer) };
}
