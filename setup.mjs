/** Sets up what `npm start` and `npm test` need: dependencies, build and engine. It skips what is already done.
 *
 *      node setup.mjs [--retry]      (npm run setup = --retry)
 *
 *  It needs only Node and npm, since node_modules may not exist. If TensorFlow's C library cannot be installed, it does
 *  not fail: it prints one line, and the wasm engine is used. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

process.chdir(dirname(fileURLToPath(import.meta.url)));

const { values } = parseArgs({ options: { retry: { type: 'boolean' } } });
const asked = process.env.npm_lifecycle_event === 'setup' || values.retry === true;

if (!dependenciesAreCurrent()) {
  // Like `npm ci`, this installs the versions of the lock file and does not change it. But it downloads only
  // what is missing, and works with registries that lack the optional packages of other platforms.
  console.error('setup: installing dependencies');
  npm('install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error');
}
node('node_modules/typescript/bin/tsc', '--build');
node('src/demo/bundle.mjs');

const [{ setup }, { watched }] = await Promise.all([import('./dist/cli/setup.js'), import('./dist/cli/watched.js')]);
await watched((hooks) => setup({ retry: asked, quiet: !asked, ...hooks })).catch((error) => {
  console.error(`setup: the engine was not changed (${error.message})`);
  if (error.exitCode) process.exit(error.exitCode); // Ctrl-C stops `npm start` too
});
process.exit(0); // a look-up that DNS never answers would keep the process alive

/** Whether npm's record of what it installed has the versions of package-lock.json. Comparing the times of the files would
 *  not do, since git changes them. */
function dependenciesAreCurrent() {
  const record = 'node_modules/.package-lock.json';
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
  return Object.entries(wanted).every(([path, { version, optional, peer, link }]) => {
    if (path === '' || !path.includes('node_modules')) return true; // this package and its workspaces
    if (!installed[path]) return Boolean(optional || peer);
    return link || installed[path].version === version;
  });
}

function npm(...args) {
  // npm_execpath is npm's own path. On Windows, Node cannot spawn the command `npm` without a shell.
  const cli = process.env.npm_execpath;
  if (cli) node(cli, ...args);
  else finish(spawnSync('npm', args, { stdio: 'inherit', shell: process.platform === 'win32' }), 'npm');
}

function node(...args) {
  finish(spawnSync(process.execPath, args, { stdio: 'inherit' }), args[0]);
}

function finish({ status, error }, name) {
  if (status === 0) return;
  console.error(`setup: ${name} failed${error ? ` (${error.message})` : ''}`);
  process.exit(1);
}
