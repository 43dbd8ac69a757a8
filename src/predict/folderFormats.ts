import { openBackend, type CompiledBackend } from '../engine/backend.js';
import { installEngine } from '../engine/install/install.js';
import { installForInference } from '../engine/install/installForInference.js';
import type { FilePorts, FileSession } from '../engine/file.js';
import { openTfliteFile } from '../engine/litert/file.js';
import { openSavedModel } from '../engine/libtensorflow/savedModel.js';
import { openOnnxFile } from '../engine/onnxRuntime/file.js';
import { openGraphModel } from '../engine/tfjs/graphModel.js';
import type { ModelFolder } from '../modelFolder/readModelFolder.js';
import type { ProgressEvent } from '../progress.js';

export interface FolderHooks {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** How the file of a model folder is run. */
interface FolderFormat {
  /** What people call such a model. */
  readonly title: string;
  /** The engine that it asks for by name; undefined where no engine of checkpoints runs it. */
  readonly engine: string | undefined;
  /** Whether several runs at once, with a part of the threads each, take less time than one after the other. */
  readonly hasLanes: boolean;
  install(hooks: FolderHooks): Promise<void>;
  /** `threads` counts where the runtime has threads. */
  open(model: ModelFolder, ports: FilePorts, threads: number | 'auto'): Promise<FileSession>;
}

/** The formats of model folders that can be run here. */
export const folderFormats: Readonly<Record<string, FolderFormat>> = {
  onnx: {
    title: 'an ONNX model',
    engine: 'onnxruntime',
    hasLanes: true,
    install: (hooks) => installForInference('onnxruntime', hooks),
    open: ({ bytes }, ports, threads) => openOnnxFile(bytes, ports, threads === 'auto' ? {} : { threads }),
  },
  savedmodel: {
    title: 'a SavedModel',
    engine: 'tensorflow',
    hasLanes: false,
    install: async (hooks) => {
      await installEngine(hooks);
    },
    open: async ({ directory }, ports, threads) =>
      openSavedModel(directory, ports, (await openBackend({ engine: 'tensorflow', threads })) as CompiledBackend),
  },
  tfjs: {
    title: 'a graph model of TensorFlow.js',
    engine: 'wasm',
    hasLanes: false,
    install: () => Promise.resolve(),
    open: ({ directory }, ports) => openGraphModel(directory, ports),
  },
  tflite: {
    title: 'a TFLite model',
    engine: undefined,
    hasLanes: false,
    install: () => Promise.resolve(), // @litertjs/core is a package that a person installs
    open: ({ bytes }, ports) => openTfliteFile(bytes, ports),
  },
};
