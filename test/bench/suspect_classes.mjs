/** How many of the images that `finetune check --suspects` lists first have a wrong class, where a share of the classes was exchanged by a seed:
 *  precision at the number of wrong ones, for a classifier that was trained on the same wrong labels.
 *
 *      node test/bench/suspect_classes.mjs path/to/photos [--share 0.1] [--seeds 1,2,3]
 *
 *  `npm run build` first. The folder has train/<class>/; the classifier is a softmax layer on ImageNet features (imagenetFeatures.mjs), and the ranking is
 *  that of the command. */
import { basename, dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { suspectClasses } from '../../dist/labelling/wholeImages.js';
import { randomStream } from '../../dist/random.js';
import { featuresOf, filesOf, trainLayer } from './imagenetFeatures.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { share: { type: 'string', default: '0.1' }, seeds: { type: 'string', default: '1,2,3' } },
});
const photos = await filesOf(resolve(positionals[0]), 'train');
const classes = [...new Set(photos.map((photo) => basename(dirname(photo))))];
const features = await featuresOf(photos);
for (const seed of values.seeds.split(',').map(Number)) {
  const random = randomStream(seed, 'classes');
  const wrong = new Set(random.shuffle([...photos]).slice(0, Math.round(Number(values.share) * photos.length)));
  const labels = new Map(
    photos.map((photo) => {
      const right = classes.indexOf(basename(dirname(photo)));
      return [photo, wrong.has(photo) ? (right + random.integer(1, classes.length)) % classes.length : right];
    }),
  );
  const predict = trainLayer(photos, { features, classes, classOf: (photo) => labels.get(photo) });
  const images = photos.map((file) => {
    const found = predict(file).map((probability, k) => ({ category: classes[k], probability }));
    return { file, label: classes[labels.get(file)], found: found.sort((a, b) => b.probability - a.probability) };
  });
  const suspects = suspectClasses(images);
  const hits = suspects.slice(0, wrong.size).filter(({ file }) => wrong.has(file)).length;
  console.log(
    `seed ${seed}: ${wrong.size} of ${photos.length} wrong, ${suspects.length} suspects; precision at ${wrong.size}: ${(hits / wrong.size).toFixed(2)}`,
  );
}
