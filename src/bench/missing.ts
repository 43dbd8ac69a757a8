import { join } from 'node:path';
import { FinetuneError } from '../errors.js';
import { exportModel } from '../export/exportModel.js';
import { openCheckpoint, type Hooks } from '../export/source.js';
import { writeUnproved } from '../export/writeUnproved.js';
import type { BenchReport } from '../report/speed.js';
import { waysOfFolder, type Way } from './ways.js';

interface Made {
  readonly ways: readonly Way[];
  readonly leftOut: BenchReport['leftOut'];
}

/** Exports a checkpoint into temporary folders in the formats that nobody has exported yet: ONNX, for ONNX Runtime and pages, a
 *  graph model of TensorFlow.js, and if asked for, ONNX in int8. */
export async function makeMissing(
  path: string,
  temporary: string,
  { there, int8, ...hooks }: Hooks & { readonly there: readonly Way[]; readonly int8: boolean },
): Promise<Made> {
  const ways: Way[] = [];
  const leftOut: BenchReport['leftOut'][number][] = [];
  const attempt = async (format: string, engine: string, flags: string, write: (folder: string) => Promise<void>) => {
    if (there.some((way) => way.format === format)) return;
    const folder = join(temporary, format.replace(' ', '-'));
    hooks.onProgress?.({ message: `exporting the model as ${format}` });
    try {
      await write(folder);
      ways.push(...(await waysOfFolder(folder, `finetune export ${path} ${flags}`)));
    } catch (error) {
      hooks.signal?.throwIfAborted();
      if (!(error instanceof FinetuneError)) throw error;
      leftOut.push({ format, engine, why: error.problems[0]!.message });
    }
  };
  const plainly = (format: 'onnx' | 'tfjs') => async (folder: string) =>
    writeUnproved(await openCheckpoint(path, hooks), format, folder);
  await attempt('onnx', 'onnxruntime', '--format onnx', plainly('onnx'));
  await attempt('tfjs', 'tfjs', '--format tfjs', plainly('tfjs'));
  const flags = '--format onnx --quantize int8';
  if (int8)
    await attempt('onnx int8', 'onnxruntime', flags, async (out) => {
      await exportModel(path, { format: 'onnx', quantize: 'int8', out, ...hooks });
    });
  else if (!there.some(({ format }) => format === 'onnx int8'))
    leftOut.push({ format: 'onnx int8', engine: 'onnxruntime', why: 'it takes minutes to make: add --int8' });
  return { ways, leftOut };
}
