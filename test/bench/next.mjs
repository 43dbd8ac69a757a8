/** What the photos that `finetune check --next` ranks first are worth, against photos drawn at random: a few images are labelled and a classifier is
 *  trained, then so many photos are labelled, it is trained again, and so on. Both arms begin with the same images.
 *
 *      node test/bench/next.mjs path/to/photos [--start 10] [--pick 10] [--rounds 5] [--seeds 20]
 *
 *  `npm run build` first. The folder has train/<class>/ and val/<class>/; the score is top-1 on all of val. So that a hundred trainings take a minute,
 *  the backbone (EfficientNet-Lite0 with ImageNet weights, frozen) runs once over each image, and a softmax layer is trained on its 1,000 outputs by
 *  gradient descent. The order is that of the command: its uncertainty and its choice of different photos are called as they are. */
import { basename, dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readThumbnail } from '../../dist/data/likeness/thumbnail.js';
import { chooseDiverse } from '../../dist/labelling/chooseDiverse.js';
import { classifierDoubt } from '../../dist/labelling/uncertainty.js';
import { randomStream } from '../../dist/random.js';
import { featuresOf, filesOf, trainLayer } from './imagenetFeatures.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    start: { type: 'string', default: '10' },
    pick: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
    seeds: { type: 'string', default: '20' },
  },
});
const [start, pick, rounds, seeds] = ['start', 'pick', 'rounds', 'seeds'].map((name) => Number(values[name]));
const source = resolve(positionals[0]);
const classOf = (photo) => classes.indexOf(basename(dirname(photo)));
/** The order of `check --next`. */
function ranked(pool, predict) {
  const candidates = pool.map((photo) => {
    const found = predict(photo).map((probability, k) => ({ category: classes[k], probability }));
    const best = found.sort((a, b) => b.probability - a.probability).slice(0, 5);
    return { uncertainty: classifierDoubt(best, classes.length).value, thumbnail: thumbnails.get(photo) };
  });
  return chooseDiverse(candidates).map(({ index }) => pool[index]);
}

const [photos, judged] = [await filesOf(source, 'train'), await filesOf(source, 'val')];
const classes = [...new Set(photos.map((photo) => basename(dirname(photo))))];
const features = await featuresOf([...photos, ...judged]);
const thumbnails = new Map();
for (const photo of photos) thumbnails.set(photo, await readThumbnail(photo));
const score = (predict) => {
  const right = judged.filter((photo) => {
    const shares = predict(photo);
    return shares.indexOf(Math.max(...shares)) === classOf(photo);
  });
  return (100 * right.length) / judged.length;
};
const train = (labelled) => trainLayer(labelled, { features, classes, classOf });
const mean = (list) => list.reduce((sum, one) => sum + one, 0) / list.length;

const scores = { next: [], random: [] };
for (let seed = 1; seed <= seeds; seed++) {
  const order = randomStream(seed, 'next').shuffle([...photos]);
  for (const arm of ['next', 'random']) {
    let labelled = order.slice(0, start);
    let predict = train(labelled);
    const own = [score(predict)];
    for (let round = 1; round <= rounds; round++) {
      const pool = order.filter((photo) => !labelled.includes(photo));
      labelled = [...labelled, ...(arm === 'next' ? ranked(pool, predict) : pool).slice(0, pick)];
      predict = train(labelled);
      own.push(score(predict));
    }
    scores[arm].push(own);
  }
}
console.log(`all ${photos.length} photos: ${score(train(photos)).toFixed(1)} %`);
for (let round = 0; round <= rounds; round++) {
  const of = (arm) => scores[arm].map((own) => own[round]);
  const gains = of('next').map((one, i) => one - of('random')[i]);
  const deviation = Math.sqrt(gains.reduce((sum, gain) => sum + (gain - mean(gains)) ** 2, 0) / (gains.length - 1));
  console.log(
    `${start + round * pick} photos: next ${mean(of('next')).toFixed(1)} %, random ${mean(of('random')).toFixed(1)} %, difference ${mean(gains).toFixed(1)} ± ${(deviation / Math.sqrt(gains.length)).toFixed(1)} (standard error, ${gains.length} seeds)`,
  );
}
