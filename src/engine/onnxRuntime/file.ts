import { checkFeeds } from '../engine.js';
import { typed, type FilePort, type FilePorts, type FileSession } from '../file.js';
import { createQueue } from '../queue.js';
import { call } from './call.js';
import { loadOnnxRuntime, type OnnxRuntimeOptions } from './runtime.js';

type PortWithKey = Required<FilePort> & { readonly key: string };

/** Loads the bytes of an .onnx file with these inputs and outputs.
 *  Throws E_ONNX_RUNTIME, E_ENGINE_UNAVAILABLE; `run` throws E_FEED and E_ONNX_RUNTIME. */
export async function openOnnxFile(
  bytes: Uint8Array,
  ports: FilePorts,
  options: OnnxRuntimeOptions = {},
): Promise<FileSession> {
  const runtime = await loadOnnxRuntime();
  const session = await runtime.open(bytes, options);
  const queue = createQueue();
  const [inputs, outputs] = [ports.inputs, ports.outputs].map((list) =>
    typed(list).map((port) => ({ ...port, key: port.name })),
  ) as [PortWithKey[], PortWithKey[]];
  return {
    engine: `onnxruntime ${runtime.version}`,
    async run(program, feeds) {
      checkFeeds(program, inputs, feeds);
      return queue.together(() => call(program, { session, inputs, outputs }, feeds));
    },
    dispose() {
      void queue.alone(() => {
        session.release();
      });
    },
  };
}
