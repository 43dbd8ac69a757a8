import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { FinetuneError } from '../errors.js';
import { openModel } from '../predict/openModel.js';
import type { ChildNews, ChildWork } from './bench.js';

/** The process of one way to run a model: opens it, and predicts for the image in each round. */
const { path, engine, image } = JSON.parse(process.argv[2]!) as ChildWork;
const tell = (news: ChildNews): void => void process.send!(news);

/** Calls of a round at least, and milliseconds after which it ends. */
const [LEAST_CALLS, ROUND] = [4, 250];

/** A picture with edges and colours, as JPEG. */
const draw = (): Promise<Buffer> =>
  sharp(
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"><rect width="640" height="480" fill="#7a9"/>
<circle cx="200" cy="200" r="90" fill="#c33"/><rect x="360" y="160" width="180" height="220" fill="#336"/>
<path d="M60 420 L180 300 L300 420 Z" fill="#ec4"/></svg>`,
    ),
  )
    .jpeg()
    .toBuffer();

try {
  const bytes = image === undefined ? await draw() : await readFile(image);
  const model = await openModel(path, { engine });
  await model.predict(bytes);
  process.on('message', () => {
    void (async () => {
      const times: number[] = [];
      const start = performance.now();
      while (times.length < LEAST_CALLS || performance.now() - start < ROUND) {
        const before = performance.now();
        await model.predict(bytes);
        times.push(performance.now() - before);
      }
      tell({ times, memoryBytes: process.resourceUsage().maxRSS * 1024 });
    })();
  });
  tell({ memoryBytes: process.resourceUsage().maxRSS * 1024 });
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  tell({ problems: error instanceof FinetuneError ? error.problems : [{ code: 'E_INTERNAL', message }] });
}
