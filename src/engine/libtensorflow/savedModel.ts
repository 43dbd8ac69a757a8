import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { DT } from '../../tensorflow/graphDef.js';
import { readSignature, SAVED_MODEL_FILE, type Signature } from '../../tensorflow/savedModel.js';
import type { CompiledBackend } from '../backend.js';
import { checkFeeds, type Results } from '../engine.js';
import { typed, type FilePorts, type FileSession } from '../file.js';
import { toFloat } from './feeds.js';
import { openSavedModelRunner } from './runner.js';

/** Loads the SavedModel in a folder with TensorFlow's own loader, and runs its signature `serving_default`.
 *  Throws E_TENSORFLOW; `run` throws E_FEED and E_TENSORFLOW. */
export async function openSavedModel(
  folder: string,
  ports: FilePorts,
  { tensorflow, config }: Pick<CompiledBackend, 'tensorflow' | 'config'>,
): Promise<FileSession> {
  const file = join(folder, SAVED_MODEL_FILE);
  const signature = readSignature(await readFile(file));
  const placeOf = (side: keyof Signature, name: string): string => {
    const place = signature?.[side].get(name);
    if (place !== undefined) return place;
    const message = `the signature of the SavedModel has no "${name}" among its ${side}`;
    throw new FinetuneError({ code: 'E_TENSORFLOW', message, where: { file } });
  };
  const inputs = typed(ports.inputs);
  const placeholders = inputs.map(({ name }) => placeOf('inputs', name));
  const fetches = ports.outputs.map(({ name }) => placeOf('outputs', name));
  const runner = await openSavedModelRunner(tensorflow, folder, config);
  return {
    engine: `tensorflow ${tensorflow.version()}`,
    async run(program, feeds) {
      checkFeeds(program, inputs, feeds);
      const fed = inputs.map(({ name, shape, dtype }, i) => ({
        name: placeholders[i]!,
        shape,
        dtype: DT[dtype],
        values: feeds[name]!,
      }));
      const values = await runner.call(fed, fetches, { together: true });
      const results: Results = Object.fromEntries(ports.outputs.map(({ name }, i) => [name, toFloat(values[i]!)]));
      return results;
    },
    dispose: () => {
      runner.close();
    },
  };
}
