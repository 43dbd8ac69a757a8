import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openTfliteFile } from '../../../engine/litert/file.js';
import { onDisk } from '../../../files/disk.js';
import { writeNew } from '../../../files/folders.js';
import { inputsOf } from '../../../graph/program.js';
import { emitTflite, whyNotTflite } from '../../../tflite/emit.js';
import { encodeTflite } from '../../../tflite/encode.js';
import type { Format } from '../../format.js';

const FILE = 'model.tflite';

/** TFLite, as LiteRT, MediaPipe and phones run it. Images have the layout of our graphs, with the channels last. */
export const tflite: Format = {
  name: 'tflite',
  quantizations: [],
  files: [FILE],
  whyNot: ({ program }) => whyNotTflite({ evaluate: program }),
  async write(folder, { program, params }) {
    await writeNew(join(folder, FILE), encodeTflite(emitTflite('evaluate', program, params)));
    return { kept: [] };
  },
  async open(folder, { program }) {
    const file = join(folder, FILE);
    const bytes = await onDisk(file, () => readFile(file));
    const outputs = Object.entries(program.outputs).map(([name, { shape }]) => ({ name, shape }));
    return openTfliteFile(bytes, { inputs: inputsOf(program), outputs });
  },
};
