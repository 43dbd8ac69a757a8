import type { ProgressEvent } from '../progress.js';
import type { AnyFound, Entry } from './entry.js';
import type { Input } from './inputs/findInputs.js';
import { readInput } from './inputs/readInput.js';
import type { Unreadable } from './inputs/walk.js';
import type { OpenedModel } from './openModel.js';
import type { Predicted } from './pipeline.js';
import type { ImageInput } from './readImage.js';

export interface PredictFilesOptions {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** A result, and what its image was read from. */
export interface Result {
  readonly entry: Entry;
  /** Undefined for what is no image. */
  readonly image: ImageInput | undefined;
}

/** Predicts for the inputs of a command, one by one and in their order. */
export async function* predictFiles(
  model: OpenedModel,
  inputs: readonly (Input | Unreadable)[],
  { stdin, signal, onProgress }: PredictFilesOptions,
): AsyncGenerator<Result> {
  /** The images that the model has been given and has not answered, and what could not be read between them. */
  const waiting: { readonly input: Input | Unreadable; readonly read: ImageInput | Unreadable }[] = [];
  async function* images(): AsyncGenerator<ImageInput> {
    for (const input of inputs) {
      const read = 'error' in input ? input : await readInput(input, stdin, signal);
      waiting.push({ input, read });
      if (!isUnreadable(read)) yield read;
    }
  }
  let done = 0;
  const answer = (result: Result): Result => {
    onProgress?.({ phase: 'predict', done: ++done, total: inputs.length });
    return result;
  };
  function* failures(): Generator<Result> {
    for (let next = waiting[0]; next && isUnreadable(next.read); next = waiting[0]) {
      waiting.shift();
      yield answer({ entry: { file: next.input.name, error: next.read.error }, image: undefined });
    }
  }
  const results: AsyncIterable<Predicted<AnyFound>> = model.predictAll(images(), { signal, total: inputs.length });
  for await (const result of results) {
    yield* failures();
    const { input, read } = waiting.shift()!;
    yield answer({ entry: { file: input.name, ...result }, image: read as ImageInput });
  }
  yield* failures();
}

const isUnreadable = (read: ImageInput | Unreadable): read is Unreadable => typeof read === 'object' && 'error' in read;
