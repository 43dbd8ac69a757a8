import { FinetuneError, invariant } from '../../errors.js';
import { sizeOf } from '../../graph/shapes.js';
import { checkFeeds, type Results } from '../engine.js';
import { typed, type FilePorts, type FileSession } from '../file.js';
import { createQueue } from '../queue.js';
import { loadLiteRt, type TypedArray } from './runtime.js';

/** Loads the bytes of a .tflite file with these inputs and outputs.
 *  Throws E_LITERT, E_ENGINE_UNAVAILABLE; `run` throws E_FEED and E_LITERT. */
export async function openTfliteFile(bytes: Uint8Array, ports: FilePorts): Promise<FileSession> {
  const runtime = await loadLiteRt();
  const model = await runtime.open(bytes);
  const missing = [
    ...ports.inputs.filter(({ name }) => !model.inputs.includes(name)),
    ...ports.outputs.filter(({ name }) => !model.outputs.includes(name)),
  ];
  if (missing.length > 0) {
    model.dispose();
    const message = `the model has no input or output called "${missing[0]!.name}"`;
    throw new FinetuneError({ code: 'E_LITERT', message });
  }
  const queue = createQueue();
  const inputs = typed(ports.inputs);
  return {
    engine: `litert ${runtime.version}`,
    async run(program, feeds) {
      checkFeeds(program, inputs, feeds);
      return queue.alone(async (): Promise<Results> => {
        const outputs = await model.run(model.inputs.map((name) => feeds[name]!));
        return Object.fromEntries(
          ports.outputs.map(({ name, shape }) => {
            const values = toFloat(outputs[model.outputs.indexOf(name)]!);
            invariant(values.length === sizeOf(shape), `${name} has ${values.length} values`);
            return [name, values];
          }),
        );
      });
    },
    dispose() {
      void queue.alone(() => {
        model.dispose();
        return Promise.resolve();
      });
    },
  };
}

const toFloat = (values: TypedArray): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values);
