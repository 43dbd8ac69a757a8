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
import sharp from 'sharp';

const { values } = parseArgs({ options: { images: { type: 'string', default: '100000' } } });
const count = Number(values.images);
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'scan-'));

/** A picture of random grey values, so that no two are alike. */
async function picture(seed) {
  let state = seed + 1;
  const values = Uint8Array.from({ length: 16 * 12 }, () => (state = (state * 16807) % 2147483647) >> 8);
  return sharp(values, { raw: { width: 16, height: 12, channels: 1 } })
    .resize(32, 24)
    .jpeg()
    .toBuffer();
}

try {
  for (const folder of ['images', 'labels']) mkdirSync(join(root, 'data', folder), { recursive: true });
  for (let i = 0; i < count; i++) {
    writeFileSync(join(root, 'data', 'images', `${i}x.jpg`), await picture(i));
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
