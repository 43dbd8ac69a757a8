import type { EngineName } from '../engine/names.js';
import { entryToJson, type Entry } from '../predict/entry.js';
import { findInputs } from '../predict/inputs/findInputs.js';
import { openModel, type OpenedModel, type OpenModelOptions } from '../predict/openModel.js';
import { inOrder } from '../predict/inOrder.js';
import { predictFiles, type Result } from '../predict/predictFiles.js';
import { openResultWriter } from '../predict/outputs/resultWriter.js';
import { printable } from '../printable.js';
import { createSummary } from './predictSummary.js';
import { Stopped } from './interrupt.js';
import { NegativeResult, Reported, UsageError } from './usage.js';
import { watched, type Hooks } from './watched.js';

export interface PredictCommand {
  readonly images: readonly string[];
  readonly json: boolean;
  readonly csv: boolean;
  readonly crops: boolean;
  readonly overwrite: boolean;
  readonly out: string | undefined;
  readonly threshold: number | undefined;
  readonly tiles: OpenModelOptions['tiles'];
  readonly engine: EngineName | 'auto';
}

/** `finetune predict`: predictions for images with a trained model. */
export async function predict(path: string, command: PredictCommand): Promise<void> {
  if (command.images.includes('-') && process.stdin.isTTY)
    throw new UsageError('- reads an image from stdin, and stdin is a terminal: redirect a file to it');
  const failed = await watched(async (hooks) => {
    const { signal, onProgress } = hooks;
    const inputs = await findInputs(command.images, { without: command.out, signal });
    const { threshold, tiles, engine } = command;
    const options = {
      ...{ engine, signal, onProgress },
      ...(threshold !== undefined && { scoreThreshold: threshold }),
      ...(tiles !== undefined && { tiles }),
    };
    const model = await openModel(path, options);
    try {
      if (command.crops && model.task === 'classification')
        throw new UsageError('--crops is for models that find objects or words; this one classifies whole images');
      return await predictInputs(model, inputs, command, hooks);
    } finally {
      model.dispose();
    }
  }, 'stopping').catch((error: unknown) => {
    if (!(error instanceof Stopped)) throw error;
    console.error('stopped: what was written stays');
    throw new Reported(error.exitCode);
  });
  if (failed > 0) throw new NegativeResult();
}

async function predictInputs(
  model: OpenedModel,
  inputs: Awaited<ReturnType<typeof findInputs>>,
  command: PredictCommand,
  { signal, onProgress }: Hooks,
): Promise<number> {
  const { json, out } = command;
  const files = inputs.map(({ name }) => name);
  const writer = out === undefined ? undefined : await openResultWriter(out, files, model, command);
  const summary = createSummary(model, { rows: !json });
  const list = json ? createJsonList() : undefined;
  const results = predictFiles(model, inputs, { stdin: process.stdin, signal, onProgress });
  let index = 0;
  const draw = async (result: Result): Promise<Entry> => (writer ? writer.draw(result, index++) : result.entry);
  try {
    for await (const entry of inOrder(results, draw, DRAWN_AT_ONCE)) {
      summary.add(entry);
      await writer?.list(entry);
      await list?.add(entry);
    }
  } finally {
    const isWritten = await writer?.close();
    await list?.end(); // of a command that was stopped it has the images so far
    onProgress({ message: summary.text() });
    if (out !== undefined && isWritten) onProgress({ message: `the results are in ${printable(out)}` });
  }
  return summary.failed();
}

/** Images that are drawn while the next ones are predicted. */
const DRAWN_AT_ONCE = 3;

/** Prints a JSON array, entry by entry. */
function createJsonList() {
  let before = '[';
  const print = (text: string): Promise<void> =>
    new Promise((resolve) => {
      process.stdout.write(text, () => resolve()); // a reader that went away ends the wait, too
    });
  return {
    async add(entry: Entry): Promise<void> {
      await print(`${before}${JSON.stringify(entryToJson(entry))}`);
      before = ',\n';
    },
    end: () => print(before === '[' ? '[]\n' : ']\n'),
  };
}
