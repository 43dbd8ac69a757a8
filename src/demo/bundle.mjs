/** Makes dist/demo/ of page/: the script of the page as one file, which a page may load from the disk too, and what lies
 *  beside it. `npm run build` does this after the compiler. */
import { cp } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const page = new URL('./page/', import.meta.url);
const out = new URL('../../dist/demo/', import.meta.url);

await build({
  entryPoints: [fileURLToPath(new URL('main.ts', page))],
  outfile: fileURLToPath(new URL('page.js', out)),
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  logLevel: 'warning',
});
for (const file of ['index.html', 'page.css', 'icon.svg']) await cp(new URL(file, page), new URL(file, out));
