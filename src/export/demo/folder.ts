import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DEMO_ENGINES,
  DEMO_FORMATS,
  DEMO_GLOBAL,
  type DemoContent,
  type DemoEngine,
  type DemoModel,
  type DemoSample,
  type PackedModel,
} from '../../demo/content.js';
import { FinetuneError } from '../../errors.js';
import { makeFolder, writeNew } from '../../files/folders.js';
import { readEngine } from './engines.js';

/** A model folder that comes into the page. */
export interface GivenModel {
  readonly name: string;
  readonly card: PackedModel['card'] & { readonly format: string };
  readonly files: Readonly<Record<string, Uint8Array>>;
}

export interface FolderContent {
  readonly title: string;
  /** Where the samples come from, as a sentence. */
  readonly about: string;
  readonly models: readonly GivenModel[];
  readonly samples: readonly DemoSample[];
  /** Licences of what the models were trained from, a line each. */
  readonly licenses: readonly string[];
}

/** Writes the files of the page, and returns the number of their bytes. All data are scripts: see demo/content.ts. */
export async function writeDemo(folder: string, given: FolderContent): Promise<number> {
  let total = 0;
  const write = async (name: string, content: string | Uint8Array): Promise<void> => {
    total += Buffer.byteLength(content);
    await writeNew(join(folder, name), content);
  };
  for (const name of ['models', 'engines']) await makeFolder(join(folder, name));
  const models = given.models.map(describe);
  for (const [i, { card, files }] of given.models.entries()) {
    const { script } = models[i]!;
    await write(script, packed(script, { card, files: base64(files) }));
  }
  const engines: Partial<Record<DemoEngine, readonly string[]>> = {};
  const notices: string[] = [];
  for (const engine of new Set(models.map((model) => model.engine))) {
    const read = await readEngine(engine);
    const last = `engines/${engine}-files.js`;
    for (const { name, content } of read.scripts) await write(`engines/${name}`, content);
    await write(last, packed(last, base64(read.packed)));
    engines[engine] = [...read.scripts.map(({ name }) => `engines/${name}`), last];
    notices.push(...read.notices);
  }
  const { title, about, samples } = given;
  const content: DemoContent = { title, models, samples, engines };
  await write(
    'content.js',
    `globalThis.${DEMO_GLOBAL} = { content: ${JSON.stringify(content)}, packed: new Map() };\n`,
  );
  const html = await readPage('index.html');
  const texts = { title, about, policy: policyOf(models) };
  await write(
    'index.html',
    html.replace(/\{\{(\w+)\}\}/g, (_, key: keyof typeof texts) => escaped(texts[key])),
  );
  for (const name of ['page.css', 'page.js', 'icon.svg']) await write(name, await readPage(name));
  await write('licenses.txt', licensesText([...given.licenses, ...notices]));
  return total;
}

function describe({ name, card, files }: GivenModel): DemoModel {
  const engine = (DEMO_ENGINES as Readonly<Record<string, DemoEngine>>)[card.format];
  if (!engine)
    throw new FinetuneError({
      code: 'E_USAGE',
      message: `the page runs no ${card.format} models, and "${name}" is one`,
      fix: `export it as ${DEMO_FORMATS.join(' or ')}`,
    });
  const bytes = Object.values(files).reduce((sum, file) => sum + file.length, 0);
  return { name, engine, script: `models/${name}.js`, bytes };
}

const packed = (path: string, content: object): string =>
  `${DEMO_GLOBAL}.packed.set(${JSON.stringify(path)}, ${JSON.stringify(content)});\n`;

const base64 = (files: Readonly<Record<string, Uint8Array>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));

/** The content security policy of the page: it connects to nothing, not even to its own server. blob: are the bytes of the
 *  engine's own files, which the page has in memory. */
function policyOf(models: readonly DemoModel[]): string {
  const scripts = models.some(({ engine }) => engine === 'onnxruntime') ? ' blob:' : ''; // it imports its second script
  return [
    "default-src 'none'",
    `script-src 'self' 'wasm-unsafe-eval'${scripts}`,
    "style-src 'self'",
    "img-src 'self' blob:",
    'media-src blob:',
    'connect-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** Reads a file that `npm run build` made in dist/demo/. */
async function readPage(name: string): Promise<string> {
  const file = new URL(`../../../dist/demo/${name}`, import.meta.url);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new FinetuneError(
      {
        code: 'E_DEMO_PAGE',
        message: `this installation lacks dist/demo/${name}, a part of the demo page`,
        fix: 'install the package again, or in a clone run: npm run build',
      },
      { cause: error },
    );
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character]!);

const licensesText = (lines: readonly string[]): string =>
  [
    'What this folder holds, and under which licences:',
    '',
    ...lines.map((line) => `- ${line}`),
    '- the page itself: tfjs-finetune, Apache-2.0',
    '',
    'Licence texts: https://www.apache.org/licenses/LICENSE-2.0 and https://opensource.org/license/mit',
    'The licence of the model and of the sample images is for those who trained it to state.',
    '',
  ].join('\n');
