import { installForInference } from '../engine/install/installForInference.js';
import type { FilePorts, FileSession } from '../engine/file.js';
import { openTfliteFile } from '../engine/litert/file.js';
import { openOnnxFile } from '../engine/onnxRuntime/file.js';
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
  install(hooks: FolderHooks): Promise<void>;
  open(bytes: Uint8Array, ports: FilePorts): Promise<FileSession>;
}

/** The formats of model folders that can be run here. */
export const folderFormats: Readonly<Record<string, FolderFormat>> = {
  onnx: {
    title: 'an ONNX model',
    engine: 'onnxruntime',
    install: (hooks) => installForInference('onnxruntime', hooks),
    open: openOnnxFile,
  },
  tflite: {
    title: 'a TFLite model',
    engine: undefined,
    install: () => Promise.resolve(), // @litertjs/core is a package that a person installs
    open: openTfliteFile,
  },
};
