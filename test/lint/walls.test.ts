import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Plants imports in a tree with the folders of src/ and none of its code, and reads which of them the walls refuse. */

/** Files of src/ that a file of each room must not import. A folder belongs to the room with the longest path. */
const forbidden: Readonly<Record<string, readonly string[]>> = {
  bytes: ['files/lock', 'geometry/box', 'weights/decode/raw'],
  geometry: ['graph/spec', 'data/sample', 'tasks/task'],
  draw: ['geometry/box', 'data/sample', 'report/report'],
  categories: ['geometry/box', 'files/lock', 'data/sample'],
  graph: ['geometry/box', 'tensorflow/ops', 'models/backbone', 'engine/engine'],
  tensorflow: ['models/backbone', 'data/sample', 'engine/engine'],
  quantize: ['graph/spec', 'engine/engine'],
  onnx: ['tensorflow/ops', 'models/backbone', 'data/sample', 'engine/engine'],
  tflite: ['onnx/emit', 'models/backbone', 'data/sample', 'engine/engine'],
  models: ['tensorflow/ops', 'data/sample', 'tasks/task', 'engine/engine'],
  tasks: [
    'files/lock',
    'weights/load',
    'weights/decode/raw',
    'data/dataset',
    'engine/engine',
    'train/loop',
    'run/plan',
  ],
  runtime: ['graph/spec', 'files/lock', 'data/dataset', 'weights/load', 'predict/openModel', 'engine/engine'],
  demo: ['geometry/box', 'files/lock', 'data/dataset', 'export/exportModel', 'engine/engine'],
  personalise: ['files/lock', 'predict/openModel', 'recipe/load', 'run/plan', 'export/exportModel'],
  'weights/decode': ['files/lock', 'graph/spec', 'weights/load'],
  pycocotools: ['errors', 'geometry/box', 'evaluate/coco'],
  files: ['geometry/box', 'data/sample', 'fetch/download'],
  fetch: ['geometry/box', 'weights/load', 'engine/engine'],
  weights: ['models/backbone', 'data/sample', 'tasks/task', 'engine/engine', 'train/loop', 'recipe/load'],
  data: ['models/backbone', 'tasks/task', 'weights/load', 'engine/engine', 'recipe/load'],
  workers: ['files/lock', 'engine/engine', 'train/loop', 'recipe/load'],
  engine: ['models/backbone', 'data/sample', 'tasks/task', 'weights/load'],
  train: ['evaluate/evaluate', 'report/report', 'recipe/load', 'run/plan'],
  evaluate: ['weights/load', 'train/loop', 'report/report', 'recipe/load', 'run/plan'],
  modelFolder: ['engine/engine', 'data/dataset', 'weights/load', 'predict/openModel', 'export/exportModel'],
  recipe: ['engine/engine', 'train/loop', 'evaluate/evaluate', 'report/report', 'run/plan'],
  report: ['weights/load', 'engine/engine', 'run/plan', 'trials/lrFind'],
  convert: ['engine/engine', 'train/loop', 'run/plan', 'cli/train'],
  init: ['finetune', 'predict/openModel', 'cli/train'],
  run: ['finetune', 'trials/lrFind', 'index'],
  trials: ['index'],
  export: ['finetune', 'trials/lrFind', 'api/openModel', 'index'],
  bench: ['weights/load', 'train/loop', 'run/plan', 'serve/serve', 'api/openModel'],
  bundle: ['finetune', 'trials/lrFind', 'export/exportModel', 'api/openModel'],
  serve: ['weights/load', 'train/loop', 'run/plan', 'export/exportModel', 'api/openModel'],
  predict: ['export/exportModel', 'recipe/load', 'run/plan', 'report/report', 'api/openModel'],
  api: ['trials/lrFind'],
  labelling: ['engine/engine', 'train/loop', 'run/plan', 'cli/train'],
  cli: [],
};
const inBrowser = [
  'bytes',
  'geometry',
  'draw',
  'categories',
  'graph',
  'tensorflow',
  'quantize',
  'onnx',
  'tflite',
  'models',
  'tasks',
  'runtime',
  'demo',
  'personalise',
  'weights/decode',
];
const ofNode = ['node:fs', 'fs/promises', 'sharp', 'tar'];
const engines = ['@tensorflow/tfjs', '@tensorflow/tfjs-node', 'koffi', 'onnxruntime-node'];

const wrongImports = (room: string): string[] => [
  ...forbidden[room]!,
  ...(room === 'cli' ? [] : ['cli/main']),
  ...(room === 'engine' ? [] : engines),
  ...(inBrowser.includes(room) ? ofNode : []),
];

/** All the ways in which a file can import another. */
const forms = [
  (path: string) => `import '${path}';`,
  (path: string) => `import type { Thing } from '${path}';\nexport type Mine = Thing;`,
  (path: string) => `export * from '${path}';`,
  (path: string) => `export const load = () => import('${path}');`,
  (path: string) => `export type Module = typeof import('${path}');`,
];

const root = fileURLToPath(new URL('../../', import.meta.url));
const folders = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => relative(join(root, 'src'), join(entry.parentPath, entry.name)).split(sep).join('/'))
  .filter((folder) => !/\b(dist|node_modules)\b/.test(folder));

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'finetune-walls-'));
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'), 'dir');
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

function plant(file: string, text: string): void {
  mkdirSync(dirname(join(dir, 'src', file)), { recursive: true });
  writeFileSync(join(dir, 'src', file), text);
}

/** How a file of src/ names what it imports: a file of src/ by its relative path, a package by its name. */
function pathFrom(file: string, target: string): string {
  if ([...ofNode, ...engines].includes(target)) return target;
  const path = relative(dirname(file), `${target}.js`).split(sep).join('/');
  return path.startsWith('.') ? path : `./${path}`;
}

/** Checks the planted files as `npm run check` does. Returns the refused ones, each with the name of the wall. */
function refused(): ReadonlyMap<string, string> {
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [program, 'src', '--config', join(root, '.dependency-cruiser.js'), '--output-type', 'json'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (!stdout) throw new Error(stderr);
  const { violations } = (JSON.parse(stdout) as Cruised).summary;
  return new Map(violations.map(({ from, rule }) => [from.slice('src/'.length), rule.name]));
}
interface Cruised {
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
  };
}

test('every folder of src/ refuses each wrong import, however it is written', () => {
  const rooms = Object.keys(forbidden).sort((a, b) => b.length - a.length);
  const roomOf = (folder: string): string | undefined => rooms.find((room) => `${folder}/`.startsWith(`${room}/`));
  expect(folders.filter((folder) => roomOf(folder) === undefined)).toEqual([]);

  for (const target of [...Object.values(forbidden).flat(), 'cli/main']) plant(`${target}.ts`, 'export {};');
  const wrong = [...folders, ...rooms.map((room) => `${room}/deep/deeper`)].flatMap((folder) =>
    wrongImports(roomOf(folder)!).map((target, i) => {
      const file = `${folder}/wrong${i}.ts`;
      plant(file, forms[(i + folder.length) % forms.length]!(pathFrom(file, target)));
      return file;
    }),
  );
  const files = {
    errors: 'files/lock',
    random: 'node:fs',
    'data/sample': 'data/dataset',
    finetune: 'cli/main',
    api: '@tensorflow/tfjs',
  };
  for (const [file, target] of Object.entries(files))
    plant(`${file}.ts`, `import '${pathFrom(`${file}.ts`, target)}';`);
  // nothing is wrong with these
  for (const folder of folders.filter((folder) => roomOf(folder) !== 'pycocotools'))
    plant(`${folder}/right.ts`, `import '${pathFrom(`${folder}/right.ts`, 'progress')}';`);
  plant('progress.ts', 'export {};');
  plant('tasks/right/sample.ts', "import type { Sample } from '../../data/sample.js';\nexport type Mine = Sample;");

  const expected = [...wrong, ...Object.keys(files).map((file) => `${file}.ts`)].sort();
  expect([...refused().keys()].sort()).toEqual(expected);
}, 120_000);

test('a circle of types is refused, and a folder that no wall surrounds', () => {
  rmSync(join(dir, 'src'), { recursive: true });
  plant('graph/one.ts', "import type { Two } from './pad/two.js';\nexport interface One { readonly two: Two }");
  plant(
    'graph/pad/two.ts',
    "import type { Three } from '../three.js';\nexport interface Two { readonly three: Three }",
  );
  plant('graph/three.ts', "import type { One } from './one.js';\nexport interface Three { readonly one?: One }");
  plant('attic/box.ts', "import type { One } from '../graph/one.js';\nexport type Box = One;");
  expect(Object.fromEntries(refused())).toEqual({
    'graph/one.ts': 'no-circle', // a circle is told once, by the first of its files
    'attic/box.ts': 'no-room',
  });
}, 60_000);
