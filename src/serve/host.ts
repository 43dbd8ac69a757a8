import type { EngineName } from '../engine/names.js';
import { FinetuneError, type Problem } from '../errors.js';
import type { AnyFound } from '../predict/entry.js';
import { locateModel } from '../predict/locateModel.js';
import type { Predicted } from '../predict/pipeline.js';
import { openModel, type OpenedModel, type OpenModelOptions } from '../predict/openModel.js';
import { hashOfModel } from './modelFile.js';

/** How a host opens its model: plain data, which can be sent to a thread. */
export interface HostOptions {
  readonly path: string;
  readonly engine: EngineName | 'auto';
  readonly threads: number | 'auto';
  readonly batch: number;
  readonly scoreThreshold?: number | undefined;
  readonly tiles?: OpenModelOptions['tiles'] | undefined;
  /** What clients were told of the model: one for another task, or of other classes, is refused. */
  readonly promised?: Promised | undefined;
}

/** What is known of the model that a host runs. */
export interface Served {
  /** sha256 of the weights, or of the card of a model folder. */
  readonly sha256: string;
  readonly task: OpenedModel['task'];
  readonly classes: readonly string[];
  readonly scoreThreshold: number;
  readonly input: readonly [height: number, width: number];
}

/** What clients rely on. */
export type Promised = Pick<Served, 'task' | 'classes'>;

/** What a model says about an image, and which one it was. Errors are sent as their problems, since a class gets lost
 *  between threads. */
export type Answer = { readonly sha256: string } & (
  | { readonly width: number; readonly height: number; readonly predictions: readonly AnyFound[] }
  | { readonly problems: readonly Problem[] }
);

/** Runs a model, and goes on with a newer one when it is told to. */
export interface Host {
  readonly served: Served;
  predict(images: readonly Uint8Array[]): Promise<readonly Answer[]>;
  /** Opens the model again; until it is ready, the old one answers. If it cannot be opened, or is for something
   *  else, the old one stays. Throws E_SERVE_MODEL, and as openModel does. */
  reload(): Promise<Served>;
  dispose(): void;
}

/** Opens a model for a server and runs it once, so that the first request finds it compiled. Throws
 *  E_SERVE_MODEL, and as openModel does. */
export async function openHost(options: HostOptions): Promise<Host> {
  let current = await open(options);
  const { promised = current.served } = options;
  return {
    get served() {
      return current.served;
    },
    predict: (images) => current.predict(images),
    async reload() {
      const next = await open({ ...options, promised });
      current.retire();
      current = next;
      return next.served;
    },
    dispose() {
      current.retire();
    },
  };
}

/** Opens a model. `retire` disposes of it as soon as the images are answered that it was given before. */
async function open(options: HostOptions) {
  const { model, served } = await openWarm(options);
  const { sha256 } = served;
  let [pending, isRetired] = [0, false];
  const disposeIfDone = (): void => {
    if (isRetired && pending === 0) model.dispose();
  };
  return {
    served,
    async predict(images: readonly Uint8Array[]): Promise<readonly Answer[]> {
      pending++;
      try {
        const results: readonly Predicted<AnyFound>[] = await model.predictTogether(images);
        return results.map((result) =>
          result.error ? { sha256, problems: result.error.problems } : { sha256, ...withoutError(result) },
        );
      } finally {
        pending--;
        disposeIfDone();
      }
    },
    retire() {
      isRetired = true;
      disposeIfDone();
    },
  };
}

const withoutError = ({ width, height, predictions }: Exclude<Predicted<AnyFound>, { error: FinetuneError }>) => ({
  ...{ width, height, predictions },
});

async function openWarm({ path, engine, threads, batch, scoreThreshold, tiles, promised }: HostOptions) {
  const sha256 = await hashOfModel(await locateModel(path));
  const model = await openModel(path, {
    ...{ engine, threads },
    ...(scoreThreshold !== undefined && { scoreThreshold }),
    ...(tiles !== undefined && { tiles }),
  });
  const { task, description, scoreThreshold: threshold } = model;
  const classes = description.categories.map(({ name }) => name);
  if (promised && !isAsPromised({ task, classes }, promised)) {
    model.dispose();
    throw otherModel(path, { task, classes }, promised);
  }
  const input = description.task === 'text' ? description.evaluateSize : description.size;
  const [height, width] = input;
  const grey = { data: new Uint8Array(height * width * 3).fill(127), width, height };
  for (const count of new Set([1, batch])) await model.predictTogether(Array.from({ length: count }, () => grey));
  return { model, served: { sha256, task, classes, scoreThreshold: threshold.value, input } satisfies Served };
}

const isAsPromised = (one: Promised, { task, classes }: Promised): boolean =>
  one.task === task && JSON.stringify(one.classes) === JSON.stringify(classes);

function otherModel(file: string, one: Promised, promised: Promised): FinetuneError {
  const [now, before] = [one, promised].map(({ task, classes }) => `${task} of ${inWords(classes)}`);
  return new FinetuneError({
    code: 'E_SERVE_MODEL',
    message: `the model is for ${now} now, and the server answers for ${before}`,
    where: { file },
    fix: 'put a model of the same task and classes there, or start the server again',
  });
}

/** Classes that a message names. */
const MOST_NAMED = 8;
const inWords = (names: readonly string[]): string =>
  names.length > MOST_NAMED ? `${names.slice(0, MOST_NAMED).join(', ')} …` : names.join(', ');

/** The error that an answer holds, if it does. */
export const errorOf = (answer: Answer): FinetuneError | undefined =>
  'problems' in answer ? new FinetuneError(answer.problems) : undefined;
