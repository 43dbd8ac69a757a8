// node test/bench/scan.mjs [--images 100000]
//
// Times two starts on a folder of generated images, YOLO labels and no validation part: `finetune init`, which opens the
// data, reads the size of each image, looks for near-duplicates and divides the images. The second one finds all of that in the
// cache. Needs dist/ (npm run build).
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { crc32, deflateSync } from 'node:zlib';

const { values } = parseArgs({ options: { images: { type: 'string', default: '100000' } } });
const count = Number(values.images);
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'scan-'));

/** A picture of random grey values as a PNG file, so that no two are alike. */
function picture(seed) {
  const [width, height] = [32, 24];
  let state = seed + 1;
  const next = () => (state = (state * 16807) % 2147483647) >> 8;
  const cells = Uint8Array.from({ length: (width / 2) * (height / 2) }, next);
  const rows = Buffer.alloc((width + 1) * height); // each row begins with its filter: none
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = cells[(y >> 1) * (width / 2) + (x >> 1)];
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8; // bits of a grey pixel
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND')]);
}

function chunk(type, data = Buffer.alloc(0)) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

try {
  for (const folder of ['images', 'labels']) mkdirSync(join(root, 'data', folder), { recursive: true });
  for (let i = 0; i < count; i++) {
    writeFileSync(join(root, 'data', 'images', `${i}x.png`), picture(i));
    writeFileSync(join(root, 'data', 'labels', `${i}x.txt`), `${i % 3} 0.5 0.5 0.4 0.4\n`);
  }
  writeFileSync(join(root, 'data', 'data.yaml'), 'names: [a, b, c]\ntrain: images\n');
  for (const start of ['first', 'second']) {
    const begin = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [main, 'init', 'data', '--out', `${start}.yaml`], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, XDG_CACHE_HOME: join(root, 'cache') },
    });
    if (status !== 0) throw new Error(stderr);
    console.log(`${start} start on ${count} images: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
