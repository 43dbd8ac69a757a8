import type * as Converter from '@tensorflow/tfjs-converter';
import type * as Tfjs from '@tensorflow/tfjs-core';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { GRAPH_MODEL_FILE, needsAsync, type GraphModelJson } from '../../tensorflow/tfjs/graphModel.js';
import { openBackend, type PortableBackend } from '../backend.js';
import { checkFeeds, type Feeds, type Results } from '../engine.js';
import { typed, type FilePorts, type FileSession } from '../file.js';
import { createQueue } from '../queue.js';

const require = createRequire(import.meta.url);

/** Loads the graph model in a folder with `loadGraphModel` of TensorFlow.js, and runs it on its backend wasm.
 *  Throws E_GRAPH_MODEL; `run` throws E_FEED and E_GRAPH_MODEL. */
export async function openGraphModel(folder: string, ports: FilePorts): Promise<FileSession> {
  const backend = (await openBackend({ engine: 'wasm' })) as PortableBackend;
  const tf = backend.tf as typeof Tfjs;
  const { loadGraphModel, version_converter: version } = require('@tensorflow/tfjs-converter') as typeof Converter;
  const file = join(folder, GRAPH_MODEL_FILE);
  const failure = (error: unknown): FinetuneError =>
    new FinetuneError(
      { code: 'E_GRAPH_MODEL', message: `TensorFlow.js: ${(error as Error).message}`, where: { file } },
      { cause: error },
    );
  const json = JSON.parse(await readFile(file, 'utf8')) as GraphModelJson & Tfjs.io.ModelJSON;
  const model = await loadGraphModel(readerOf(tf, folder, json)).catch((error: unknown) => {
    throw failure(error);
  });
  const isAsync = needsAsync(json.modelTopology.node);
  const inputs = typed(ports.inputs);
  const names = ports.outputs.map(({ name }) => name);
  const queue = createQueue();

  const execute = async (feeds: Feeds): Promise<Results> => {
    const fed = inputs.map(({ name, shape, dtype }) => [name, tf.tensor(feeds[name]!, [...shape], dtype)] as const);
    try {
      const found = isAsync
        ? await model.executeAsync(Object.fromEntries(fed), names)
        : model.execute(Object.fromEntries(fed), names);
      const tensors = Array.isArray(found) ? found : [found];
      const values = await Promise.all(tensors.map((tensor) => tensor.data()));
      tf.dispose(tensors);
      return Object.fromEntries(names.map((name, i) => [name, Float32Array.from(values[i]!)]));
    } catch (error) {
      throw failure(error);
    } finally {
      tf.dispose(fed.map(([, tensor]) => tensor));
    }
  };
  return {
    engine: `tfjs ${version} on wasm`,
    async run(program, feeds) {
      checkFeeds(program, inputs, feeds);
      return queue.alone(() => execute(feeds));
    },
    dispose() {
      void queue.alone(() => {
        model.dispose();
        return Promise.resolve();
      });
    },
  };
}

/** Reads model.json and its weights files as `loadGraphModel` does over HTTP, from the disk. */
const readerOf = (tf: typeof Tfjs, folder: string, json: Tfjs.io.ModelJSON): Tfjs.io.IOHandler => ({
  load: () =>
    tf.io.getModelArtifactsForJSON(json, async (manifest) => {
      const paths = manifest.flatMap((group) => group.paths);
      const shards = await Promise.all(paths.map((path) => readFile(join(folder, path))));
      const data = new Uint8Array(Buffer.concat(shards)).buffer;
      return [tf.io.getWeightSpecs(manifest), data];
    }),
});
