import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { portsOf } from '../../../engine/file.js';
import { openTfliteFile } from '../../../engine/litert/file.js';
import { quantize } from '../../../engine/litert/quantize.js';
import { loadLiteRt } from '../../../engine/litert/runtime.js';
import { onDisk } from '../../../files/disk.js';
import { writeNew } from '../../../files/folders.js';
import { emitTflite, whyNotTflite } from '../../../tflite/emit.js';
import { encodeTflite } from '../../../tflite/encode.js';
import { halveTflite } from '../../../tflite/halve.js';
import type { TfliteModel } from '../../../tflite/model.js';
import type { Format, Net, Quantizing } from '../../format.js';

export const FILE = 'model.tflite';

/** TFLite, as LiteRT, MediaPipe and phones run it. Images have the layout of our graphs, with the channels last. */
export const tflite: Format = {
  name: 'tflite',
  quantizations: ['float16', 'int8'],
  openRuntime: loadLiteRt,
  whyNot: ({ program }) => whyNotTflite({ evaluate: program }),
  async write(folder, net, quantizing) {
    const { model, kept } = await modelOf(net, quantizing);
    await writeNew(join(folder, FILE), encodeTflite(model));
    return { files: [FILE], kept };
  },
  async open(folder, { program }) {
    const file = join(folder, FILE);
    const bytes = await onDisk(file, () => readFile(file));
    return openTfliteFile(bytes, portsOf(program));
  },
};

/** The net as a TFLite model, and the layers that quantisation left in float32. */
export async function modelOf(
  { program, params }: Net,
  quantizing: Quantizing | undefined,
): Promise<{ readonly model: TfliteModel; readonly kept: readonly string[] }> {
  const model = emitTflite('evaluate', program, params);
  if (quantizing === undefined) return { model, kept: [] };
  if (quantizing.type === 'float16') return { model: halveTflite(model, (name) => params.has(name)), kept: [] };
  const quantized = await quantize(model, params, await quantizing.calibrate());
  return { model: quantized.model, kept: quantized.kept.map(({ layer }) => layer) };
}
