import { expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { loadBatches } from '../../src/data/pipeline/loader.js';
import { openCoco } from '../../src/data/formats/coco.js';
import { openBackend } from '../../src/engine/backend.js';
import { cocoPair, scoreCoco, toCocoDetections } from '../../src/evaluate/coco.js';
import { createDetection } from '../../src/evaluate/createTask.js';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import { createModel } from '../../src/tasks/model.js';
import { withWeights } from '../../src/train/modelWeights.js';
import { openPredictor } from '../../src/evaluate/predictor.js';
import type { Detection } from '../../src/tasks/detection/detector.js';
import { imageFeed } from '../../src/tasks/feeds.js';
import { catalog } from '../../src/weights/catalog.js';
import { COCO_COLUMNS } from '../../src/categories/coco.js';
import { openCocoSsd } from '../weights/cocoSsd.js';

const root = fileURLToPath(new URL('../../../shared/data/coco_subset/', import.meta.url));
const here = existsSync(root) && process.env.FINETUNE_SLOW === '1'; // a minute and a half on two idle cores
if (!here) console.warn('skipped: needs ../shared/data/coco_subset and FINETUNE_SLOW=1');

/** The published GraphModel, fed by its own resizing, and our model, fed by our loader: decoded and scored alike. */
(here ? test : test.skip)(
  'the COCO AP of our model and of the GraphModel are within 0.002',
  async () => {
    const dataset = await openCoco({
      annotations: `${root}annotations/instances_val2017.json`,
      images: `${root}images/val2017`,
      name: 'val',
    });
    const size = [300, 300] as const;
    const { model } = await withWeights(
    createModel(createDetection({
      backbone: 'tf_mobilenetv2_100', ...detectorDefaults.ssdlite, numClasses: 80, size,
    scoreThreshold: 0.001, maxDetections: 100,
    }), { categories: dataset.categories, seed: 1 }), catalog[0]!.uri); // prettier-ignore
    const columns = dataset.categories.map(({ name }) => COCO_COLUMNS.indexOf(name));
    const oracle = await openCocoSsd();
    const predictor = await openPredictor(model, await openBackend(), { batch: 1 });
    const [ours, fed, theirs]: [Detection[], Detection[], Detection[]] = [[], [], []];
    for await (const { samples } of loadBatches(dataset, { batch: 1, size })) {
      ours.push(
        ...model.task.decode(await predictor.run('evaluate', { image: imageFeed(samples, 1, size) }), samples).flat(),
      );
      const { data, info } = await sharp(samples[0]!.file)
        .rotate()
        .toColourspace('srgb')
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      const { boxDeltas, logits, input } = await oracle.runPicture({ data, width: info.width, height: info.height });
      const picked = Float32Array.from(
        { length: 1917 * 80 },
        (_, i) => logits[Math.floor(i / 80) * 90 + columns[i % 80]!]!,
      );
      theirs.push(...model.task.decode({ boxes: boxDeltas, logits: picked }, samples).flat());
      fed.push(
        ...model.task
          .decode(await predictor.run('evaluate', { image: input.map((value) => (value + 1) * 127.5) }), samples)
          .flat(),
      );
    }
    predictor.dispose();
    oracle.dispose();
    const [own, same, published] = [ours, fed, theirs].map(
      (detections) => scoreCoco(cocoPair(dataset, toCocoDetections(detections, dataset))).AP,
    );
    console.info(
      `AP: our loader and model ${own!.toFixed(4)}, the GraphModel's pixels and our model ${same!.toFixed(4)}, the GraphModel ${published!.toFixed(4)}`,
    );
    expect(Math.abs(same! - published!)).toBeLessThan(0.002);
    expect(Math.abs(own! - published!)).toBeLessThan(0.01);
  },
  300_000,
);
