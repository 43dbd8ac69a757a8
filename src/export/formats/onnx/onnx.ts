import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openOnnxFile } from '../../../engine/onnxRuntime/file.js';
import { quantize } from '../../../engine/onnxRuntime/quantize.js';
import { onDisk } from '../../../files/disk.js';
import { writeNew } from '../../../files/folders.js';
import { inputsOf } from '../../../graph/program.js';
import { emitOnnx, whyNotOnnx } from '../../../onnx/emit.js';
import { encodeOnnx } from '../../../onnx/encode.js';
import type { Format } from '../../format.js';

const FILE = 'model.onnx';

/** ONNX, operator set 17. Images inside the net have their channels first; the input and the outputs keep the layout of our
 *  graphs, with the channels last. */
export const onnx: Format = {
  name: 'onnx',
  quantizations: ['int8'],
  files: [FILE],
  whyNot: ({ program }) => whyNotOnnx({ evaluate: program }),
  async write(folder, { program, params, metadata = {} }, calibration) {
    const model = emitOnnx('evaluate', program, params);
    const quantized = calibration && (await quantize(model, calibration.feeds, calibration));
    await writeNew(join(folder, FILE), encodeOnnx({ ...(quantized?.model ?? model), metadata }));
    return { kept: quantized?.kept.map(({ layer }) => layer) ?? [] };
  },
  async open(folder, { program }) {
    const file = join(folder, FILE);
    const bytes = await onDisk(file, () => readFile(file));
    const outputs = Object.entries(program.outputs).map(([name, { shape }]) => ({ name, shape }));
    return openOnnxFile(bytes, { inputs: inputsOf(program), outputs }, { spins: false }); // the training engine computes in turn with it
  },
};
