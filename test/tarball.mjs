/** Packs the project, installs the tarball alone in an empty folder, as a stranger would, and tries it there:
 *
 *      npm run test:package
 *
 *  The program in README compiles under `--strict` without skipLibCheck for both ways in which modules are found, import and
 *  require load the package, and the command runs. The first recipe downloads TensorFlow's library and trains with it, with
 *  no compiler and no Python in PATH; the second needs no index. Takes two minutes and downloads 400 MB. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tarball-'));
const project = join(folder, 'project');
mkdirSync(project);

function run(cwd, program, ...args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')}\n${error?.message ?? ''}${stdout}${stderr}`);
}

/** A PATH with Node, npm and a shell, and with nothing that compiles. */
function barePath() {
  if (process.platform === 'win32') return dirname(process.execPath);
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  symlinkSync(realpathSync(join(dirname(process.execPath), 'npm')), join(bin, 'npm'));
  symlinkSync('/bin/sh', join(bin, 'sh'));
  return bin;
}

/** Does one step of a recipe as a user with an empty cache. Returns what is said on stderr. */
function dryRun(env) {
  const cli = join(project, 'node_modules/tfjs-finetune/bin/finetune.mjs');
  const recipe = join(project, 'node_modules/tfjs-finetune/recipes/quickstart.yaml');
  const args = [cli, recipe, '--dry-run'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8', env });
  if (status !== 0) throw new Error(stderr);
  return stderr;
}

function check(what, holds) {
  if (!holds) throw new Error(`not so: ${what}`);
  console.log(`ok: ${what}`);
}

/** The links of a page to files that are not packed. */
function deadLinks(page, packed) {
  const links = [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g)].map(
    ([, link]) => link,
  );
  const places = links
    .filter((link) => !/^(https?|mailto):/.test(link))
    .map((link) => posix.join(posix.dirname(page), link));
  return places.filter(
    (place) => !packed.some((path) => path === place || path.startsWith(`${place.replace(/\/$/, '')}/`)),
  );
}

try {
  const [{ filename, files }] = JSON.parse(
    run(root, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', folder),
  );
  const packed = files.map(({ path }) => path);
  for (const file of [
    'LICENSE',
    'README.md',
    'bin/finetune.mjs',
    'dist/index.d.ts',
    'dist/demo/page.js',
    'recipes/quickstart.yaml',
    'docs/install.md',
  ])
    check(`${file} is packed`, packed.includes(file));
  check('no source map is packed', !packed.some((path) => path.endsWith('.map')));
  const dead = packed.filter((path) => path.endsWith('.md')).flatMap((page) => deadLinks(page, packed));
  check(`the links of packed pages lead to packed files ${dead.join(', ')}`, dead.length === 0);

  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  run(project, 'npm', 'install', '--no-audit', '--no-fund', join(folder, filename));
  check('the tarball alone installs', true);
  check('the command runs', /^finetune\/\d/.test(run(project, 'npx', 'finetune', '--version')));
  check('it lists the backbones', JSON.parse(run(project, 'npx', 'finetune', 'models', '--json')).length > 100);
  const names = `Object.keys(api).includes('openModel') && 'COCOeval' in coco || process.exit(1)`;
  const imports = `import * as api from 'tfjs-finetune'; import * as coco from 'tfjs-finetune/pycocotools';`;
  run(project, process.execPath, '--input-type=module', '-e', imports + names);
  check('import loads it', true);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) {
    const requires = `const [api, coco] = ['tfjs-finetune', 'tfjs-finetune/pycocotools'].map(require);`;
    run(project, process.execPath, '--input-type=commonjs', '-e', requires + names);
    check('require loads it', true);
  }

  const env = { ...process.env, PATH: barePath(), XDG_CACHE_HOME: join(folder, 'cache') };
  const first = dryRun(env);
  console.log(first.replace(/^/gm, '  '));
  check(
    'the first recipe brings the engine',
    /downloading ONNX Runtime[^]*(downloading|taking) libtensorflow .* from .*[^]*engine tensorflow 2/.test(first),
  );
  const offline = { ...env, PIP_CONFIG_FILE: process.platform === 'win32' ? 'nul' : '/dev/null', PIP_NO_INDEX: '1' };
  check('the second one has it', !/libtensorflow|ONNX Runtime/.test(dryRun(offline)));

  const program = /```ts\n([^]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))[1];
  const given = `declare const pixels: Uint8Array;\nimport { COCOeval } from 'tfjs-finetune/pycocotools';\n`;
  writeFileSync(join(project, 'program.ts'), `${given}${program}\nexport { best, objects, COCOeval };\n`);
  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    const options = [
      '--noEmit',
      '--strict',
      '--target',
      'es2022',
      '--module',
      module,
      '--moduleResolution',
      resolution,
    ];
    run(project, process.execPath, join(root, 'node_modules/typescript/bin/tsc'), ...options, 'program.ts');
    check(`README's program compiles with moduleResolution ${resolution}`, true);
  }
} finally {
  rmSync(folder, { recursive: true });
}
