import { createPredictor, type Engine, type FoundClass, type FoundObject, type FoundWord } from '../../runtime.js';
import type { DemoContent, DemoModel } from '../content.js';
import { openers } from './engines.js';
import { loadEngineFiles, loadModelFiles } from './load.js';

export type Found =
  | { readonly task: 'detection'; readonly list: readonly FoundObject[] }
  | { readonly task: 'classification'; readonly list: readonly FoundClass[] }
  | { readonly task: 'text'; readonly list: readonly FoundWord[] };

/** A model that is ready. */
export interface OpenedDemoModel {
  readonly task: Found['task'];
  /** Width × height of what the network reads. */
  readonly input: string;
  /** The least score that the card names. */
  readonly scoreThreshold: number;
  /** The place of a category among the classes: it decides the colour. */
  readonly classIndexOf: (categoryId: number) => number;
  predict(image: ImageBitmapSource, scoreThreshold: number): Promise<{ readonly found: Found; readonly ms: number }>;
}

/** The part of a card that the page reads itself. */
interface DemoCard {
  readonly input: { readonly shape: readonly number[] };
  readonly categories: readonly { readonly id: number; readonly name: string }[];
}

const BLANK = { data: new Uint8Array(32 * 32 * 3), width: 32, height: 32 };

export async function openDemoModel({ script, engine }: DemoModel, { engines }: DemoContent): Promise<OpenedDemoModel> {
  const engineFiles = await loadEngineFiles(engine, engines[engine]!);
  const model = await loadModelFiles(script);
  const opened: Engine = await openers[engine](model, engineFiles);
  let predictor = createPredictor(model.card, opened);
  await predictor.predict(BLANK); // the first run takes longer: engines prepare themselves
  const { input, categories } = model.card as unknown as DemoCard;
  const rows = new Map(categories.map(({ id }, i) => [id, i]));
  return {
    task: predictor.task,
    input: `${input.shape[2]!} × ${input.shape[1]!}`,
    scoreThreshold: predictor.scoreThreshold,
    classIndexOf: (id) => rows.get(id) ?? 0,
    async predict(image, scoreThreshold) {
      if (scoreThreshold !== predictor.scoreThreshold)
        predictor = createPredictor(model.card, opened, { scoreThreshold });
      const start = performance.now();
      const list = await predictor.predict(image);
      const ms = performance.now() - start;
      return { found: { task: predictor.task, list } as Found, ms };
    },
  };
}
