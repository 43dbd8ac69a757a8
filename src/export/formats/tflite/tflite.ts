import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { portsOf } from '../../../engine/file.js';
import { openTfliteFile } from '../../../engine/litert/file.js';
import { onDisk } from '../../../files/disk.js';
import { writeNew } from '../../../files/folders.js';
import { emitTflite, whyNotTflite } from '../../../tflite/emit.js';
import { encodeTflite } from '../../../tflite/encode.js';
import type { Format } from '../../format.js';

const FILE = 'model.tflite';

/** TFLite, as LiteRT, MediaPipe and phones run it. Images have the layout of our graphs, with the channels last. */
export const tflite: Format = {
  name: 'tflite',
  quantizations: [],
  whyNot: ({ program }) => whyNotTflite({ evaluate: program }),
  async write(folder, { program, params }) {
    await writeNew(join(folder, FILE), encodeTflite(emitTflite('evaluate', program, params)));
    return { files: [FILE], kept: [] };
  },
  async open(folder, { program }) {
    const file = join(folder, FILE);
    const bytes = await onDisk(file, () => readFile(file));
    return openTfliteFile(bytes, portsOf(program));
  },
};
