import { beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { exportModel } from '../../src/api/exportModel.js';
import { openModel } from '../../src/api/openModel.js';
import { FinetuneError } from '../../src/errors.js';
import { FORMATS } from '../../src/export/names.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { trainShapes } from './trainShapes.js';
import { trainWords } from './trainWords.js';

/** Heads that were trained shortly on drawn images, in every format as float32 and float16: the files pass the gate and find what
 *  the checkpoint finds, or the format is refused and another one named. */

const folder = temporaryFolder();
const slowly = process.env.FINETUNE_SLOW === '1' ? test : test.skip;

const heads = {
  retinanet: async (root: string) => (await trainShapes(root, ', head: retinanet, channels: 32')).run,
  fasterRcnn: async (root: string) =>
    (await trainShapes(root, ', head: fasterRcnn, channels: 32, units: 64, proposals: 50, sampledBoxes: 32')).run,
  'craft-lite': trainWords,
} as const;
/** The formats that have no op for a head. */
const refused = { retinanet: [], fasterRcnn: ['tflite'], 'craft-lite': [] } as const satisfies Record<
  keyof typeof heads,
  readonly string[]
>;
const cases = FORMATS.flatMap((format) =>
  [undefined, 'float16' as const].map((quantize) => [format, quantize] as const),
);

describe.each(Object.keys(heads) as (keyof typeof heads)[])('%s', (head) => {
  const root = join(folder, head);
  let run: string;
  beforeAll(async () => {
    if (process.env.FINETUNE_SLOW !== '1') return;
    await mkdir(root);
    run = await heads[head](root);
  }, 900_000);

  slowly.each(cases)(
    'as %s, %s',
    async (format, quantize) => {
      const exported = exportModel(run, { format, quantize });
      if ((refused[head] as readonly string[]).includes(format)) {
        await expect(exported).rejects.toBeInstanceOf(FinetuneError);
        await expect(exported).rejects.toMatchObject({
          code: 'E_TFLITE_OP',
          problems: [{ where: { file: expect.stringContaining(run) }, fix: 'export it as onnx or savedmodel or tfjs' }],
        });
        return;
      }
      const { directory, card } = await exported;
      const { metric, maxDifference } = card.parity;
      expect(metric!.checkpoint).toBeGreaterThan(0.3);
      expect(Math.abs(metric!.checkpoint - metric!.exported)).toBeLessThan(quantize ? 0.002 : 0.001);
      if (!quantize) expect(maxDifference).toBeLessThan(1e-3);
      const sizes = Object.keys(card.files).map(async (name) => (await stat(join(directory, name))).size);
      const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size);
      console.log(head, format, quantize ?? 'float32', bytes, 'bytes', card.parity); // for docs/export.md
      (await openModel(directory)).dispose();
    },
    300_000,
  );
});
