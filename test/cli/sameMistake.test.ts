import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { run } from '../../src/cli/program.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';

const folder = temporaryFolder();
const file = join(folder, 'recipe.yaml');
const absent = join(folder, 'absent.safetensors');
const annotation = (stem: string) => join(folder, 'voc', 'Annotations', `${stem}.xml`);

/** Every command that runs a recipe. */
const commands = {
  train: [file],
  dryRun: [file, '--dry-run'],
  eval: ['eval', file],
  check: ['check', file],
  anchors: ['anchors', file],
  lrFind: ['lr-find', file, '--steps', '10', '--out', folder],
  overfit: ['overfit', file, '--steps', '10'],
  sweep: ['sweep', file, '--over', 'seed=1'],
} as const;
type Command = keyof typeof commands;

interface Mistake {
  readonly name: string;
  /** Blocks of the recipe that differ from a sound one. */
  readonly recipe: Partial<typeof sound>;
  /** What each command says: `file:line:column  message   CODE`, the excerpt and the fix. */
  readonly text: string;
  /** Commands that do not reach the mistake, and why not. */
  readonly unreached?: Partial<Record<Command, string>>;
}

const sound = {
  data: `data: { format: voc, root: voc, size: 64 }`,
  model: `model: { backbone: ${tinyBackbone}, head: retinanet, channels: 8 }`,
  train: 'train: { epochs: 2, batch: 2, warmup: { epochs: 0 } }',
};
const recipeText = ({ data, model, train }: typeof sound): string =>
  `task: detection\nengine: wasm\nout: ${folder}\n${data}\n${model}\n${train}\n`;
const noWeights = 'reads no weights';
const noSteps = 'takes no training steps';
/** Two processes are slow: one such mistake is enough. */
const asTrain = 'starts `finetune <recipe.yaml>` in a process of its own for each run';

const mistakes: readonly Mistake[] = [
  {
    name: 'an unknown key',
    recipe: { train: 'train: { epoch: 2 }' },
    text: `${file}:6:10  unknown key "train.epoch"   E_RECIPE_UNKNOWN_KEY
  6 | train: { epoch: 2 }
    |          ^^^^^  did you mean "epochs"?`,
  },
  {
    name: 'two options that exclude each other',
    recipe: { train: 'train: { batch: 2, cache: memory }', data: `${sound.data.slice(0, -1)}, augment: false }` },
    text: `${file}:6:20  "train.cache: memory" has nothing to keep: no stage is frozen   E_RECIPE_CONFLICT
  6 | train: { batch: 2, cache: memory }
    |                    ^^^^^
  set train.freeze.stages, or train.cache: none`,
  },
  {
    name: 'an unknown backbone',
    recipe: { model: 'model: { backbone: mobilenetv2_10 }' },
    text: `${file}:5:20  "model.backbone" must be the name of a backbone: \`finetune models\` lists them; or a table with rows; got "mobilenetv2_10"   E_RECIPE_VALUE
  5 | model: { backbone: mobilenetv2_10 }
    |                    ^^^^^^^^^^^^^^  did you mean "mobilenetv2_100"?`,
  },
  {
    name: 'a folder of data that is not there',
    recipe: { data: 'data: { format: voc, root: vok, size: 64 }' },
    text: `${file}:4:22  there is no folder "${join(folder, 'vok')}"   E_FOLDER_ROOT
  4 | data: { format: voc, root: vok, size: 64 }
    |                      ^^^^
  set data.root; a relative one counts from the folder of the recipe, or with --set from the current directory`,
    unreached: { sweep: asTrain },
  },
  {
    name: 'a list of images that is not there',
    recipe: { data: 'data: { format: voc, root: voc, size: 64, val: valid }' },
    text: `${join(folder, 'voc', 'ImageSets', 'Main', 'valid.txt')}  there is no list "valid"   E_VOC_SPLIT
  the lists are: broken, train, val`,
    unreached: { sweep: asTrain },
  },
  {
    name: 'a broken annotation',
    recipe: { data: 'data: { format: voc, root: voc, size: 64, train: broken }' },
    text: `${annotation('broken')}:4:27  xmax (10) <= xmin (40) in object 1 "dog"   E_VOC_BOX
  fix the file, or set data.invalidBoxes: drop (the report counts them)`,
    unreached: { sweep: asTrain },
  },
  {
    name: 'a category that the data do not have',
    recipe: { data: 'data: { format: voc, root: voc, size: 64, categories: [dgo] }' },
    text: `${join(folder, 'voc', 'Annotations')}  there is no category "dgo"   E_DATA_CATEGORY
  the categories are: cat, dog`,
    unreached: { sweep: asTrain },
  },
  {
    name: 'weights that are not there',
    recipe: {
      model: "model: { weights: 'file:absent.safetensors', backbone: mobilenetv2_035, head: retinanet, channels: 8 }",
    },
    text: `${file}:5:10  ${absent} does not exist (file:${absent})   E_WEIGHTS_PATH
  5 | model: { weights: 'file:absent.safetensors', backbone: mobilenetv2_035, head: retinanet, channels: 8 }
    |          ^^^^^^^`,
    unreached: { check: noWeights, anchors: noWeights, sweep: asTrain },
  },
  {
    name: 'a size that the neck cannot be built for',
    recipe: {
      data: 'data: { format: voc, root: voc, size: 96 }',
      model: 'model: { head: retinanet, neck: balanced, channels: 8 }',
    },
    text: `${file}:4:33  "model.head: retinanet" on mobilenetv2_100 does not fit an input of 96x96: the balanced feature pyramid needs levels with half the rows and columns of the one before, as with sides in multiples of 128   E_MODEL_SIZE
  4 | data: { format: voc, root: voc, size: 96 }
    |                                 ^^^^
  set data.size: [128, 128]`,
    unreached: { sweep: asTrain },
  },
  {
    name: 'a batch that is larger than the data',
    recipe: { train: 'train: { batch: 9 }' },
    text: `${file}:6:10  4 images do not fill a batch of 9   E_DATA_TOO_FEW
  6 | train: { batch: 9 }
    |          ^^^^^
  set train.batch to at most 4`,
    unreached: { eval: noSteps, anchors: noSteps, overfit: 'lowers the batch to the number of images' },
  },
  {
    name: 'frozen parameters that do not exist',
    recipe: { train: 'train: { batch: 2, freeze: { stages: [backbone.nothing.*] } }' },
    text: `${file}:6:20  train.freeze.stages: backbone.nothing.* matches no parameter   E_FREEZE_STAGES
  6 | train: { batch: 2, freeze: { stages: [backbone.nothing.*] } }
    |                    ^^^^^^
  write names as in a checkpoint, * for anything: backbone.blocks.0.*`,
    unreached: { eval: noSteps, anchors: noSteps, check: noSteps, sweep: asTrain },
  },
];

const box = (name: string, x1: number, x2: number) =>
  `<object><name>${name}</name><bndbox><xmin>${x1}</xmin><ymin>8</ymin><xmax>${x2}</xmax><ymax>40</ymax></bndbox></object>`;

beforeAll(async () => {
  for (const name of ['Annotations', 'ImageSets/Main', 'JPEGImages'])
    await mkdir(join(folder, 'voc', name), { recursive: true });
  const image = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#888' } })
    .jpeg()
    .toBuffer();
  const objects = { a: box('dog', 9, 40), b: box('cat', 9, 40), c: box('dog', 5, 50), d: box('cat', 8, 48), broken: box('dog', 40, 10) }; // prettier-ignore
  for (const [stem, text] of Object.entries(objects)) {
    const size = '<size><width>64</width><height>64</height><depth>3</depth></size>';
    await writeFile(annotation(stem), `<?xml version="1.0"?>\n<annotation>\n  ${size}\n  ${text}\n</annotation>\n`);
    await writeFile(join(folder, 'voc', 'JPEGImages', `${stem}.jpg`), image);
  }
  for (const [list, stems] of Object.entries({ train: 'a\nb\nc\nd\n', val: 'a\nb\n', broken: 'a\nbroken\n' }))
    await writeFile(join(folder, 'voc', 'ImageSets', 'Main', `${list}.txt`), stems);
});

/** What a command says on stderr, and its exit code. `sweep` finds a child's program in dist/ alone. */
async function said(name: Command, out: string, isChild: boolean): Promise<{ code: number; text: string }> {
  const words = [...commands[name], ...(name === 'train' || name === 'sweep' ? ['--out', out] : [])];
  if (name === 'sweep' && isChild) {
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
    const parts = child.stderr.toArray();
    const [code] = (await once(child, 'exit')) as [number];
    return { code, text: Buffer.concat((await parts) as Buffer[]).toString() };
  }
  const lines: string[] = [];
  jest.spyOn(console, 'error').mockImplementation((line: string) => lines.push(line));
  jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const code = await run(words);
  jest.restoreAllMocks();
  return { code, text: lines.join('\n') };
}

describe.each(mistakes)('$name', ({ name, recipe, text, unreached = {} }) => {
  const out = join(folder, name.replaceAll(' ', '-'));
  beforeAll(async () => {
    await writeFile(file, recipeText({ ...sound, ...recipe }));
  });

  test.each((Object.keys(commands) as Command[]).filter((command) => !unreached[command]))(
    '%s',
    async (command) => {
      const isUsage = text.includes('E_RECIPE_');
      const found = await said(command, `${out}-${command}`, !isUsage);
      expect(found.text).toContain(text);
      expect(found.code).toBe(isUsage ? 2 : 1);
    },
    60_000,
  );
});

test('Ctrl-C stops an evaluation', async () => {
  await writeFile(file, recipeText(sound));
  const listeners = process.listenerCount('SIGINT');
  const found = said('eval', folder, false);
  while (process.listenerCount('SIGINT') === listeners) await setTimeout(5);
  process.emit('SIGINT', 'SIGINT');
  expect(await found).toEqual({ code: 130, text: 'stopped: there was nothing to save' });
}, 60_000);
