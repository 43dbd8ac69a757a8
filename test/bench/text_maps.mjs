// The plain TypeScript of scene text, medians: node test/bench/text_maps.mjs
// targets: score maps of a 768 × 768 image with 300 characters. boxes: words in 640 × 360 maps with 300 characters, as quads and as polygons.
// characters: a word of ten letters by watershed on a crop of 64 pixels. Drawing has a command of its own: finetune synth --images 400.
import { gaussianMaps } from '../../dist/tasks/text/gaussianMap.js';
import { textBoxes } from '../../dist/tasks/text/textBoxes.js';
import { wordCharacters } from '../../dist/tasks/text/wordCharacters.js';

const ROUNDS = 60;

/** Words of ten letters in rows over an image. */
function words(width, height, letters) {
  const [w, h, columns] = [14, 22, Math.floor(width / 200)];
  return Array.from({ length: letters / 10 }, (_, i) => {
    const [x, y] = [20 + (i % columns) * 200, 10 + Math.floor(i / columns) * ((height - 40) / (letters / 10 / columns))];
    const characters = Array.from({ length: 10 }, (_, k) => {
      const [l, t] = [x + k * w, y + k * 0.5];
      return [l, t, l + w - 1, t, l + w - 1, t + h, l, t + h];
    });
    return { text: 'characters', outline: [x, y, x + 10 * w, y, x + 10 * w, y + h + 5, x, y + h + 5], characters, dontCare: false };
  }); // prettier-ignore
}

function median(run) {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return `${times[ROUNDS >> 1].toFixed(2)} ms`;
}

const onImage = words(768, 768, 300);
console.log(
  'targets',
  median(() => gaussianMaps(onImage, 384, 384)),
);

const [width, height] = [640, 360];
const { region, affinity } = gaussianMaps(words(2 * width, 2 * height, 300), width, height);
const data = new Float32Array(2 * width * height);
region.forEach((value, i) => data.set([value, affinity[i]], 2 * i));
const thresholds = { text: 0.7, lowText: 0.4, link: 0.4 };
const found = textBoxes({ data, width, height }, thresholds).length;
console.log(
  `boxes (${found})`,
  median(() => textBoxes({ data, width, height }, thresholds)),
);
console.log(
  'boxes, polygons',
  median(() => textBoxes({ data, width, height }, { ...thresholds, polygons: true })),
);

const word = words(400, 64, 10)[0];
const crop = gaussianMaps(
  [{ ...word, characters: word.characters.map((quad) => quad.map((v, i) => (i % 2 ? v - 8 : v - 18) * 2)) }],
  142,
  32,
);
console.log('characters', median(() => wordCharacters(crop.region, { width: 142, height: 32 }, 10))); // prettier-ignore
