/** How many of the labels that `finetune check --suspects` lists first are wrong, where a known share of them was spoiled by a seed: precision at
 *  the number of spoiled labels, for the published COCO detector, or for the model of --model.
 *
 *      node test/bench/suspects.mjs path/to/coco_subset [--share 0.05] [--seeds 1,2,3] [--model RUN] [--set KEY=VALUE …] [--keep DIR]
 *
 *  `npm run build` first. With --keep, an interrupted run continues: what the model predicted is in predictions.jsonl.
 *  The folder has annotations/instances_{train,val}2017.json and images/{train,val}2017. In a copy, a third of the spoiled
 *  labels is dropped, a third gets another class, and a third is shifted by 20 to 40 % of its box along both axes. A suspect is a hit if it names
 *  a spoiled label that no suspect before it named, by the label or by a detection at the place (IoU 0.5) of a dropped or shifted one. */
import { createHash } from 'node:crypto';
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createModel, loadRecipe } from '../../dist/index.js';
import { lookAt } from '../../dist/labelling/lookAt.js';
import { suspectObjects } from '../../dist/labelling/objects.js';
import { suspectJson } from '../../dist/labelling/suspectList.js';
import { openModel } from '../../dist/predict/openModel.js';
import { ownData } from '../../dist/run/recipeData.js';

/** As finetune check --suspects has it. */
const LEAST_SCORE = 0.01;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    share: { type: 'string', default: '0.05' },
    seeds: { type: 'string', default: '1,2,3' },
    model: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    keep: { type: 'string' },
  },
});
const [source] = positionals;
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const folder = values.keep ?? (await mkdtemp(join(tmpdir(), 'suspects-')));
if (values.keep) await mkdir(folder, { recursive: true });
const PARTS = ['train', 'val'];
const fileOf = (part) => join('annotations', `instances_${part}2017.json`);
const readPart = async (part) => JSON.parse(await readFile(join(source, fileOf(part)), 'utf8'));

/** Numbers in 0…1: mulberry32. */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const iou = ([ax, ay, aw, ah], [bx, by, bw, bh]) => {
  const w = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const h = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  return w <= 0 || h <= 0 ? 0 : (w * h) / (aw * ah + bw * bh - w * h);
};

/** Writes a copy with spoiled labels, and returns these with the box of the object and the box of the label. */
async function spoil(root, seed) {
  const random = randomNumbers(seed);
  const parts = await Promise.all(PARTS.map(readPart));
  const all = parts.flatMap(({ annotations }, p) =>
    annotations.filter(({ iscrowd }) => !iscrowd).map((one) => ({ one, p })),
  );
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j], all[i]];
  }
  const spoiled = all.slice(0, Math.round(Number(values.share) * all.length)).map(({ one, p }, k) => {
    const { annotations, categories, images } = parts[p];
    const { file_name, width, height } = images.find(({ id }) => id === one.image_id);
    const kind = ['drop', 'swap', 'shift'][k % 3];
    const object = [...one.bbox];
    delete one.segmentation; // it would tell the old box
    if (kind === 'drop') annotations.splice(annotations.indexOf(one), 1);
    if (kind === 'swap') {
      const others = categories.filter(({ id }) => id !== one.category_id);
      one.category_id = others[Math.floor(random() * others.length)].id;
    }
    if (kind === 'shift') {
      const [x, y, w, h] = one.bbox;
      const move = (at, side, end) => {
        const by = (0.2 + 0.2 * random()) * side * (random() < 0.5 ? -1 : 1);
        return Math.max(0, Math.min(at + by, end - side));
      };
      one.bbox = [move(x, w, width), move(y, h, height), w, h];
    }
    return { kind, image: file_name, object, label: kind === 'drop' ? undefined : one.bbox };
  });
  await mkdir(join(root, 'annotations'), { recursive: true });
  for (const [p, part] of PARTS.entries()) await writeFile(join(root, fileOf(part)), JSON.stringify(parts[p]));
  await cp(join(source, 'images'), join(root, 'images'), { recursive: true });
  return spoiled;
}

/** The published detector as a file that describes itself. */
async function publishedModel() {
  const { categories } = await readPart('train');
  const classes = categories.map(({ name }) => name);
  const detector = await createModel({ backbone: 'tf_mobilenetv2_100', classes, size: [300, 300] });
  await detector.load('ssdlite_mobilenet_v2.coco');
  const file = join(folder, 'coco.safetensors');
  await detector.save(file);
  detector.dispose();
  return file;
}

/** The model with what it predicted before in the place of the predictions: the copies of several seeds have most of their
 *  labels in common. */
async function openRemembering(uri) {
  const model = await openModel(uri, { scoreThreshold: LEAST_SCORE });
  const memory = join(folder, 'predictions.jsonl');
  const text = await readFile(memory, 'utf8').catch(() => '');
  const known = new Map(text.split('\n').flatMap((line) => (line.endsWith(']') ? [JSON.parse(line)] : [])));
  return {
    ...model,
    async *predictAll(images) {
      for await (const image of images) {
        const { data, width, height } = typeof image === 'string' ? { data: basename(image) } : image;
        const key = createHash('sha1').update(`${width} ${height} ${uri}`).update(data).digest('base64');
        if (!known.has(key)) {
          for await (const result of model.predictAll([image])) known.set(key, result.predictions ?? []);
          await appendFile(memory, `\n${JSON.stringify([key, known.get(key)])}`);
        }
        yield { predictions: known.get(key) };
      }
    },
  };
}

async function suspectsOf(root, model) {
  const places = PARTS.flatMap((part) => [
    `data.${part}.annotations=${fileOf(part)}`,
    `data.${part}.images=images/${part}2017`,
  ]);
  const set = [`data.root=${root}`, ...places, ...values.set];
  const data = await ownData(await loadRecipe(here('../../recipes/ssdlite-coco.yaml'), { set }));
  const { images } = await lookAt({ parts: { train: data.train, val: data.val }, categories: data.categories }, model);
  return suspectObjects(images).map(suspectJson);
}

const names = ({ image, object, label }, { file, label: theirs, model }) => {
  if (basename(file) !== basename(image)) return false;
  if (label && theirs) return theirs.box.every((value, i) => Math.abs(value - label[i]) < 0.02);
  return model !== undefined && iou(model.box, object) >= 0.5;
};

const model = await openRemembering(values.model ?? (await publishedModel()));
for (const seed of values.seeds.split(',').map(Number)) {
  const root = join(folder, `spoiled-${seed}`);
  const spoiled = await spoil(root, seed);
  const suspects = await suspectsOf(root, model);
  const found = new Set();
  const isHit = suspects.slice(0, spoiled.length).map((suspect) => {
    const hit = spoiled.find((one) => !found.has(one) && names(one, suspect));
    if (hit) found.add(hit);
    return hit !== undefined;
  });
  const precision = (count) => (isHit.slice(0, count).filter(Boolean).length / count).toFixed(2);
  const share = (kind) => {
    const own = spoiled.filter((one) => one.kind === kind);
    return `${kind} ${own.filter((one) => found.has(one)).length}/${own.length}`;
  };
  const [few, half] = [4, 2].map((share) => Math.round(spoiled.length / share));
  console.log(
    `seed ${seed}: ${spoiled.length} spoiled labels, ${suspects.length} suspects; precision at ${few}: ${precision(few)}, at ${half}: ${precision(half)}, at ${spoiled.length}: ${precision(spoiled.length)} (${['drop', 'swap', 'shift'].map(share).join(', ')})`,
  );
}
if (!values.keep) await rm(folder, { recursive: true });
