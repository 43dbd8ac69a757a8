/** Times a model with the stock libraries alone, to check what `finetune bench` recommends: onnxruntime-node, TensorFlow.js on wasm,
 *  TensorFlow for Python, and in Chromium TensorFlow.js and onnxruntime-web. Nothing of src/ runs here. Each has a process of its
 *  own, they take turns, and a call is decoding a JPEG of 640 × 480 pixels, resizing it, and running the network.
 *
 *      for f in "onnx" "onnx --quantize int8" "tfjs" "savedmodel"; do finetune export RUN --format $f; done
 *      finetune bench RUN
 *      [PYTHON=python3] node test/bench/engines.mjs RUN [--rounds 8]
 *
 *  TensorFlow is measured if $PYTHON has it, and the browser if /usr/bin/chromium is there. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '8' }, library: { type: 'string' }, image: { type: 'string' } },
});
const [model] = positionals;
const median = (times) => [...times].sort((one, other) => one - other)[Math.floor(times.length / 2)];
const require = createRequire(import.meta.url);
const CHROMIUM = '/usr/bin/chromium';

/** Each opens a model folder, and returns a function that makes a call. */
const libraries = {
  async 'onnxruntime-node'(folder, call) {
    const { InferenceSession, Tensor } = await import('onnxruntime-node');
    const session = await InferenceSession.create(join(folder, 'model.onnx'));
    return () => call((pixels, shape) => session.run({ image: new Tensor('float32', pixels, shape) }));
  },
  async 'tfjs wasm'(folder, call) {
    const tf = await import('@tensorflow/tfjs-core');
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    const { loadGraphModel } = await import('@tensorflow/tfjs-converter');
    setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
    await tf.setBackend('wasm');
    const { modelTopology, weightsManifest } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
    const shards = weightsManifest.flatMap(({ paths }) => paths.map((path) => readFileSync(join(folder, path))));
    const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
    const weightData = new Uint8Array(Buffer.concat(shards)).buffer;
    const graph = await loadGraphModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
    return () =>
      call(async (pixels, shape) => {
        const image = tf.tensor(pixels, shape);
        const found = [await graph.executeAsync({ image })].flat();
        for (const tensor of found) await tensor.data();
        for (const tensor of [image, ...found]) tensor.dispose();
      });
  },
};

/** The process of a library of Node: makes the calls of a round for each line of its input. */
async function work() {
  const { input } = JSON.parse(readFileSync(join(model, 'model-card.json'), 'utf8'));
  const [, height, width] = input.shape;
  const jpeg = readFileSync(values.image);
  const once = await libraries[values.library](model, async (run) => {
    const pixels = await sharp(jpeg).resize(width, height, { fit: 'fill' }).removeAlpha().raw().toBuffer();
    await run(Float32Array.from(pixels), input.shape);
  });
  await once();
  console.log('ready');
  createInterface(process.stdin).on('line', async () => console.log(JSON.stringify(await calls(once))));
}

/** Makes calls for a quarter of a second, two at least. It also runs in the page, as text. */
async function calls(once) {
  const times = [];
  const start = performance.now();
  while (times.length < 2 || performance.now() - start < 250) {
    const before = performance.now();
    await once();
    times.push(performance.now() - before);
  }
  return times;
}

const PYTHON = `
import json, sys, time
import tensorflow as tf
folder, image, height, width = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
serve = tf.saved_model.load(folder).signatures['serving_default']
data = open(image, 'rb').read()
def once():
    pixels = tf.image.resize(tf.io.decode_jpeg(data, channels=3), (height, width), antialias=True)
    for found in serve(image=pixels[None]).values():
        found.numpy()
once()
print('ready', flush=True)
for _ in sys.stdin:
    times, start = [], time.perf_counter()
    while len(times) < 2 or time.perf_counter() - start < 0.25:
        before = time.perf_counter()
        once()
        times.append(1000 * (time.perf_counter() - before))
    print(json.dumps(times), flush=True)
`;

/** A process that is asked for rounds by lines. */
async function child(command, args) {
  const process = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface(process.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('its process ended');
    return value;
  };
  await next();
  return {
    round() {
      process.stdin.write('round\n');
      return next().then(JSON.parse);
    },
    end: () => process.kill(),
  };
}

const ORIGIN = 'http://localhost';
const dist = (name) => dirname(require.resolve(name));

/** Code of the page that defines `run(pixels, shape)` for each library. */
const pages = {
  'tfjs wasm': {
    scripts: ['core', 'converter', 'backend-wasm'].map((part) => `/tfjs-${part}/tf-${part}.es2017.min.js`),
    open: `tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false); tf.wasm.setWasmPaths('/tfjs-backend-wasm/'); await tf.setBackend('wasm');`,
  },
  'tfjs webgl': {
    scripts: ['core', 'converter', 'backend-webgl'].map((part) => `/tfjs-${part}/tf-${part}.es2017.min.js`),
    open: `if (!(await tf.setBackend('webgl'))) throw new Error('no WebGL');`,
  },
  'onnxruntime-web wasm': {
    scripts: ['/ort/ort.wasm.min.js'],
    open: `ort.env.wasm.numThreads = 1; ort.env.wasm.wasmPaths = '/ort/';`,
  },
};
const RUNS = {
  tfjs: `const graph = await tf.loadGraphModel('/model/model.json');
    globalThis.run = async (pixels, shape) => {
      const image = tf.tensor(pixels, shape);
      const found = [await graph.executeAsync({ image })].flat();
      for (const tensor of found) await tensor.data();
      for (const tensor of [image, ...found]) tensor.dispose();
    };`,
  onnx: `const session = await ort.InferenceSession.create('/model/model.onnx', { executionProviders: ['wasm'] });
    globalThis.run = (pixels, shape) => session.run({ image: new ort.Tensor('float32', pixels, shape) });`,
};
const ONCE = `async () => {
  const bitmap = await createImageBitmap(image);
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = new Float32Array(width * height * 3);
  for (let i = 0, from = 0; i < pixels.length; from++) for (let c = 0; c < 3; c++) pixels[i++] = data[4 * from + c];
  await run(pixels, [1, height, width, 3]);
}`;

async function inChromium(name, folder, image) {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.route('**/*', (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname === '/') return route.fulfill({ contentType: 'text/html', body: '<!doctype html>' });
      const [, first, file] = pathname.split('/');
      if (pathname === '/image') return route.fulfill({ path: image });
      if (first === 'model') return route.fulfill({ path: join(folder, file) });
      return route.fulfill({ path: join(dist(first === 'ort' ? 'onnxruntime-web' : `@tensorflow/${first}`), file) });
    });
    await page.goto(ORIGIN);
    const { scripts, open } = pages[name];
    for (const url of scripts) await page.addScriptTag({ url });
    const { input } = JSON.parse(readFileSync(join(folder, 'model-card.json'), 'utf8'));
    const [, height, width] = input.shape;
    await page.evaluate(`(async () => {
      ${open}
      ${RUNS[name.startsWith('tfjs') ? 'tfjs' : 'onnx']}
      Object.assign(globalThis, { height: ${height}, width: ${width}, image: await (await fetch('/image')).blob() });
      globalThis.once = ${ONCE};
      await once();
    })()`);
    return { round: () => page.evaluate(`(${calls})(once)`), end: () => browser.close() };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

async function compare() {
  const temporary = mkdtempSync(join(tmpdir(), 'engines-'));
  const image = join(temporary, 'image.jpg');
  const noise = { type: 'gaussian', mean: 128, sigma: 30 };
  const drawn = sharp({ create: { width: 640, height: 480, channels: 3, background: '#7a9', noise } });
  writeFileSync(image, await drawn.blur(2).jpeg().toBuffer());
  const self = fileURLToPath(import.meta.url);
  const node = (library) => (folder) => child(process.execPath, [self, folder, '--library', library, '--image', image]);
  const python = (folder) => {
    const [, height, width] = JSON.parse(readFileSync(join(folder, 'model-card.json'), 'utf8')).input.shape;
    return child(process.env.PYTHON ?? 'python3', ['-c', PYTHON, folder, image, String(height), String(width)]);
  };
  const page = (name) => (folder) => inChromium(name, folder, image);
  const ways = [
    ['onnx', 'onnxruntime-node', node('onnxruntime-node')],
    ['onnx-int8', 'onnxruntime-node', node('onnxruntime-node')],
    ['tfjs', 'tfjs wasm', node('tfjs wasm')],
    ['savedmodel', 'tensorflow (Python)', python],
    ...(existsSync(CHROMIUM)
      ? [
          ['tfjs', 'Chromium: tfjs wasm', page('tfjs wasm')],
          ['tfjs', 'Chromium: tfjs webgl', page('tfjs webgl')],
          ['onnx', 'Chromium: onnxruntime-web wasm', page('onnxruntime-web wasm')],
          ['onnx-int8', 'Chromium: onnxruntime-web wasm', page('onnxruntime-web wasm')],
        ]
      : []),
  ];
  const opened = [];
  try {
    for (const [format, library, open] of ways) {
      if (!existsSync(join(model, format))) continue;
      try {
        opened.push({ format, library, times: [], ...(await open(join(model, format))) });
      } catch (error) {
        console.error(`left out: ${format} with ${library}: ${error.message.split('\n')[0]}`);
      }
    }
    for (let round = 0; round <= Number(values.rounds); round++)
      for (const { round: next, times } of opened) times.push(...(round > 0 ? await next() : (await next(), [])));
  } finally {
    for (const { end } of opened) await end();
    rmSync(temporary, { recursive: true, force: true });
  }
  const rows = opened.map(({ format, library, times }) => ({ format, library, p50: Number(median(times).toFixed(1)) }));
  rows.sort((one, other) => one.p50 - other.p50);
  const bench = existsSync(join(model, 'bench.json')) ? JSON.parse(readFileSync(join(model, 'bench.json'))) : {};
  const { recommended, inBrowser } = bench;
  console.log(JSON.stringify({ run: basename(model), rows, recommended, inBrowser }, null, 1));
}

await (values.library ? work() : compare());
