import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { run } from '../../src/cli/program.js';
import { resumeCommand } from '../../src/cli/train.js';
import { placesOf } from '../../src/workers/addresses.js';

let said: string[];
let printed: string[];

beforeEach(() => {
  said = [];
  printed = [];
  jest.spyOn(console, 'error').mockImplementation((line: string) => said.push(line));
  for (const method of ['log', 'info'] as const) {
    jest.spyOn(console, method).mockImplementation((line: string) => printed.push(line));
  }
});
afterEach(() => {
  jest.restoreAllMocks();
});

test.each([
  [[], 'no recipe given'],
  [['--sett', 'a=b', 'recipes/quickstart.yaml'], 'Unknown option `--sett`, did you mean "--set"?'],
  [['recipes/quickstart.yaml', 'more'], 'unexpected argument `more`'],
  [['doctor', 'more'], 'unexpected argument `more`'],
  [['doctr'], 'there is no command "doctr", and no recipe of that name; did you mean "doctor"?'],
  [['trian'], 'there is no command "trian", and no recipe of that name'],
  [['swep', 'x.yaml', '--over', 'seed=1,2'], 'there is no command "swep"; did you mean "sweep"?'],
  [['zzz', 'x', '--speed', '3'], 'there is no command "zzz"'],
  [
    ['recipes/quickstart.yaml', '--dry-run', '--until', '2'],
    '--dry-run is for a new run of one process, without --resume, --extend, --until and --workers',
  ],
  [
    ['a.yaml', '--workers', '127.0.0.1:1,127.0.0.1:2'],
    '--workers needs --rank: the place of this process in the list, from 0',
  ],
  [
    ['recipes', '--workers', '127.0.0.1:1,127.0.0.1:2', '--rank', '0'],
    '--workers takes a recipe: finetune init makes one for a folder',
  ],
  [['sweep', 'recipes/quickstart.yaml', '--over', 'seed=1,2', '--cpus', '2'], '--cpus needs --on slurm or --on ray'],
  [
    ['sweep', 'recipes/quickstart.yaml', '--over', 'train.epochs=1,2', '--stop', 'asha'],
    '--stop asha compares settings after equal numbers of epochs: do without train.time, and do not vary train.epochs',
  ],
  [
    ['sweep', 'recipes/quickstart.yaml', '--over', "model.weights='https://host/a.pth?token=x'", '--on', 'slurm'],
    'a setting has a secret, which --on slurm would show to others: download the file, and name it in the recipe',
  ],
  [['recipes/quickstart.yaml', '--out', 'a', '--out', 'b'], '--out is given twice'],
  [['recipes/quickstart.yaml', '--out'], 'option `--out <dir>` value is missing'],
  [['recipes/quickstart.yaml', '--resume'], '--resume needs --out, the directory of the run to continue'],
  [['recipes/quickstart.yaml', '--extend', '2'], '--extend needs --out, the directory of the run to continue'],
  [['recipes/quickstart.yaml', '--out', 'x', '--extend', 'two'], '--extend takes a number of epochs; got "two"'],
  [
    ['check', 'x.yaml', '--suspects', 'a', '--next', 'b'],
    '--fix, --next and --suspects do different things: give one of them',
  ],
  [
    ['check', 'x.yaml', '--suspects', 'a', '--augment'],
    '--augment and --suspects write different pages: give one of them',
  ],
  [['doctor', '--jsn'], 'Unknown option `--jsn`, did you mean "--json"?'],
  [
    ['doctor', '--engine', 'cuda'],
    '--engine is one of auto, tensorflow-gpu, tensorflow, onnxruntime, wasm; got "cuda"',
  ],
])('%j is a usage error', async (argv, message) => {
  expect(await run(argv)).toBe(2);
  expect(said.join('\n')).toBe(`${message}\nfinetune --help lists the commands and options   E_USAGE`);
  expect(printed).toEqual([]);
});

test('recipe errors are usage errors, all in one go; every --set and --engine reaches the recipe', async () => {
  const argv = ['recipes/quickstart.yaml', '--set', 'train.epoch=3', '--set', 'sede=2', '--engine', 'cuda'];
  expect(await run(argv)).toBe(2);
  const text = said.join('\n');
  expect(text.match(/E_RECIPE_\w+/g)).toEqual(['E_RECIPE_VALUE', 'E_RECIPE_UNKNOWN_KEY', 'E_RECIPE_UNKNOWN_KEY']);
  expect(text).toContain('did you mean "epochs"?');
});

test('help and version', async () => {
  expect(await run(['--help'])).toBe(0);
  expect(await run(['--version'])).toBe(0);
  expect(printed.join('\n')).toMatch(/--set <key=value>[^]*finetune\/\d+\.\d+/);
});

test('the command that goes on with a stopped run can be pasted into a shell', () => {
  const set = ['train.epochs=3', "data.categories=[it's, b]"];
  expect(resumeCommand('my recipe.yaml', 'runs/a-1', { set })).toBe(
    String.raw`finetune 'my recipe.yaml' --set train.epochs=3 --set 'data.categories=[it'\''s, b]' --out runs/a-1 --resume`,
  );
  expect(resumeCommand('my recipe.yaml', 'runs/a-1', { set, extend: 2 })).toBe(
    'finetune runs/a-1/recipe.yaml --out runs/a-1 --resume',
  );
  const workers = { ...placesOf(['[::1]:7000', '10.0.0.2:7000'], 0), trustNetwork: true };
  expect(resumeCommand('a.yaml', 'runs/a-1', { workers })).toBe(
    "finetune a.yaml --out runs/a-1 --workers '[::1]:7000,10.0.0.2:7000' --rank 0 --trust-network --resume",
  );
});
