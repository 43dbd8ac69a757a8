/** The walls of src/: which room may import which. `npm run check` refuses every other import, and circles of imports.
 *
 *  A room is a folder of src/, or the files that `files` matches. It may import itself, the rooms and the packages of its row,
 *  and Node's own modules where `node` is true. Imports of types count like any other. An import is judged by the file that it
 *  leads to, however its path is written. */
const network = 'ground geometry categories graph models sample frame tasks';
const training = `${network} files decode weights data engine train evaluate recipe report workers`;

const rooms = {
  // These run in a browser too: they import no module of Node, and no package that needs one.
  ground: {
    files:
      '(errors|lines|printable|random|progress|didYouMean|duration|conflict|optionValues|markdown|safePath|maskSecrets)[.]ts$',
    packages: 'pure-rand fastest-levenshtein zod',
  },
  bytes: { rooms: 'ground', packages: 'fflate' },
  geometry: { rooms: 'ground', packages: 'polygon-clipping' },
  draw: { rooms: 'ground' },
  categories: { rooms: 'ground' },
  graph: { rooms: 'ground' },
  tensorflow: { rooms: 'ground graph', packages: '@bufbuild/protobuf' },
  quantize: { rooms: 'ground' },
  onnx: { rooms: 'ground graph quantize', packages: '@bufbuild/protobuf' },
  tflite: { rooms: 'ground graph quantize', packages: 'fflate flatbuffers' },
  models: { rooms: 'ground graph' },
  sample: { files: 'data/sample[.]ts$', rooms: 'ground geometry' },
  frame: { files: 'data/image/(frame|pad|meanColour)[.]ts$', rooms: 'geometry sample' },
  tasks: { rooms: 'ground geometry categories graph models sample', packages: 'zod' },
  runtime: { files: 'runtime(?:[.]ts$|/)', rooms: 'ground geometry sample frame tasks modelFolder' },
  demo: { files: 'demo/(?!bundle[.]mjs$)', rooms: 'ground draw tasks runtime' },
  decode: { files: 'weights/decode/', rooms: 'ground bytes', packages: 'jsfive zod' },

  // These need Node: they read and write files, compute and measure.
  demoBundle: { files: 'demo/bundle[.]mjs$', packages: 'esbuild', node: true },
  pycocotools: { node: true },
  files: { rooms: 'ground bytes', node: true },
  fetch: { rooms: 'ground files', packages: 'undici zod', node: true },
  weights: {
    files: 'weights/(?!decode/)',
    rooms: 'ground bytes files fetch categories graph decode',
    packages: 'tar zod',
    node: true,
  },
  modelFolder: { rooms: 'ground bytes files tasks', packages: 'zod', node: true },
  data: {
    files: 'data/(?!sample[.]ts$|image/(frame|pad|meanColour)[.]ts$)',
    rooms: 'ground bytes files geometry categories sample frame',
    packages: '@rgrove/parse-xml hyparquet opentype.js p-limit sharp yaml',
    node: true,
  },
  workers: { rooms: 'ground', node: true },
  engine: {
    rooms: 'ground bytes files fetch graph quantize tensorflow onnx tflite',
    packages: '@tensorflow/.+ @litertjs/core @bufbuild/protobuf koffi onnxruntime-node tar',
    node: true,
  },
  // It runs in a browser too; test/browser/ shows that what it imports of engine/, train/ and weights/ does.
  personalise: {
    files: 'personalise(?:[.]ts$|/)',
    rooms: `${network} bytes decode runtime data engine train weights`,
  },
  train: { rooms: `${network} files decode weights data engine`, packages: '@bufbuild/protobuf zod', node: true },
  evaluate: { rooms: `${network} data engine pycocotools`, packages: 'p-limit', node: true },
  recipe: { rooms: 'ground models tasks data', packages: 'yaml zod', node: true },
  report: {
    rooms: `${network} draw files data train evaluate recipe`,
    packages: 'sharp vega vega-lite zod',
    node: true,
  },

  // These are what a person starts.
  run: { rooms: training, packages: 'sharp zod', node: true },
  finetune: { files: 'finetune[.]ts$', rooms: `${training} run`, node: true },
  trials: { rooms: `${training} run finetune`, packages: 'yaml zod', node: true },
  init: { rooms: `${training} run trials`, packages: 'yaml', node: true },
  predict: {
    rooms: `${network} draw files decode weights fetch data engine train evaluate modelFolder`,
    packages: 'p-limit picomatch sharp zod',
    node: true,
  },
  serve: {
    rooms: 'ground geometry sample files data tasks engine modelFolder predict',
    packages: 'fastify @fastify/.+ prom-client zod',
    node: true,
  },
  bench: {
    rooms: 'ground files tasks engine modelFolder predict export report runtime',
    packages: 'sharp playwright-core',
    node: true,
  },
  bundle: { rooms: `${training} run modelFolder predict`, packages: 'fflate', node: true },
  export: {
    rooms: `${training} onnx tensorflow tflite run modelFolder predict demo`,
    packages: 'sharp',
    node: true,
  },
  convert: { rooms: 'ground files sample data geometry recipe', node: true },
  faces: {
    files: '(?:index[.]ts$|api/)',
    rooms: `${training} run finetune modelFolder predict serve bundle bench export demo pycocotools`,
    packages: 'zod',
    node: true,
  },
  labelling: {
    rooms: 'ground geometry categories sample frame files data tasks evaluate report predict',
    node: true,
  },
  cli: {
    rooms: `${training} labelling convert run finetune trials init predict serve bundle bench modelFolder export demo`,
    packages: 'cac cli-progress p-limit zod',
    node: true,
  },
};

const words = (list = '') => list.split(' ').filter(Boolean);
const filesOf = (room) => `^src/${rooms[room].files ?? `${room}/`}`;
/** A package's files, or its name where it is not installed. */
const filesOfPackage = (name) => `(^|/)node_modules/${name}/|^${name}(/|$)`;

const wall = ([room, { rooms, packages, node }]) => ({
  name: room,
  severity: 'error',
  comment: `${room} may import ${[rooms ?? 'no other room', packages ?? 'no package', ...(node ? ['Node'] : [])].join('; ')}`,
  from: { path: filesOf(room) },
  to: {
    pathNot: [...[room, ...words(rooms)].map(filesOf), ...words(packages).map(filesOfPackage)],
    ...(node && { dependencyTypesNot: ['core'] }),
  },
});

export default {
  forbidden: [
    ...Object.entries(rooms).map(wall),
    {
      name: 'no-room',
      severity: 'error',
      comment: 'No row of .dependency-cruiser.js has this file: add one for its folder.',
      from: { path: '^src/', pathNot: Object.keys(rooms).map(filesOf) },
      to: {},
    },
    {
      name: 'no-circle',
      severity: 'error',
      comment: 'These files import each other: move what both need to a file of its own.',
      from: { path: '^src/' },
      to: { circular: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true, // imports of types too
    doNotFollow: { path: '(^|/)(node_modules|dist)/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.d.ts', '.js'],
      conditionNames: ['import', 'require', 'node', 'types'],
    },
  },
};
