import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { portsOf } from '../../../engine/file.js';
import { openTfliteFile } from '../../../engine/litert/file.js';
import { onDisk } from '../../../files/disk.js';
import { writeNew } from '../../../files/folders.js';
import type { TfliteModel } from '../../../tflite/model.js';
import type { Format, Net, Running } from '../../format.js';
import { FILE, modelOf, tflite } from '../../formats/tflite/tflite.js';
import type { Finish } from '../target.js';

export interface Finished {
  /** Outputs of the net that is finished; parts of it, which the gate runs to find a difference, are written as they are. */
  readonly of: readonly string[];
  /** Adds to the model what the graph does not have. */
  readonly finish: (model: TfliteModel) => Uint8Array;
  /** Left out where the files return the outputs of the net. */
  readonly returns?: Finish['outputs'];
  readonly input: 'float32' | 'uint8';
}

/** TFLite with more in the file than the graph has. */
export function finishedTflite({ of, finish, returns, input }: Finished): Format {
  const isWhole = ({ program }: Net): boolean => of.every((name) => name in program.outputs);
  return {
    ...tflite,
    async write(folder, net, quantizing) {
      if (!isWhole(net)) return tflite.write(folder, net, quantizing);
      const { model, kept } = await modelOf(net, quantizing);
      await writeNew(join(folder, FILE), finish(model));
      return { files: [FILE], kept };
    },
    async open(folder, net) {
      if (!isWhole(net)) return tflite.open(folder, net);
      const file = join(folder, FILE);
      const bytes = await onDisk(file, () => readFile(file));
      const ports = portsOf(net.program);
      const outputs = returns ? Object.entries(returns).map(([name, shape]) => ({ name, shape })) : ports.outputs;
      if (input === 'float32') return openTfliteFile(bytes, { ...ports, outputs });
      const inputs = ports.inputs.map((port) => ({ ...port, dtype: 'bool' as const })); // its arrays are bytes
      return withBytes(await openTfliteFile(bytes, { inputs, outputs }));
    },
  };
}

/** Feeds pixels as bytes. */
const withBytes = (running: Running): Running => ({
  ...running,
  run: (program, feeds) =>
    running.run(
      program,
      Object.fromEntries(Object.entries(feeds).map(([name, pixels]) => [name, Uint8Array.from(pixels)])),
    ),
});
