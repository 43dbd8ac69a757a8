import { readFile } from 'node:fs/promises';
import { FinetuneError } from '../errors.js';
import { openModel } from '../predict/openModel.js';
import type { ChildNews, ChildWork } from './children.js';
import { timeRound } from './round.js';

/** The process of one way to run a model: opens it, and predicts for the image in each round. */
const { path, engine, image } = JSON.parse(process.argv[2]!) as ChildWork;
const tell = (news: ChildNews): void => void process.send!(news);
const memoryBytes = (): number => process.resourceUsage().maxRSS * 1024;

try {
  const bytes = await readFile(image);
  const model = await openModel(path, { engine });
  await model.predict(bytes);
  process.on('message', () => {
    void timeRound(() => model.predict(bytes)).then((times) => {
      tell({ times, memoryBytes: memoryBytes() });
    });
  });
  tell({ memoryBytes: memoryBytes() });
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  tell({ problems: error instanceof FinetuneError ? error.problems : [{ code: 'E_INTERNAL', message }] });
}
