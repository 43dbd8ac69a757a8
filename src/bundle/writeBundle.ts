import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { zipSync, type Zippable } from 'fflate';
import { FinetuneError } from '../errors.js';
import { writeAtomically } from '../files/writeAtomically.js';
import { BUNDLE_VERSION, hashOf, MANIFEST, SEAL_LENGTH } from '../modelFolder/bundleFile.js';
import { CARD_FILE } from '../modelFolder/card.js';
import { locateModel } from '../predict/locateModel.js';
import { measuredOf } from '../predict/measured.js';
import { checkRunWeights } from '../predict/runWeights.js';
import { loadRecipe } from '../recipe/load.js';
import { portableRecipe, rootsOf } from '../recipe/resolved.js';
import { findInCatalog } from '../weights/catalog.js';
import { readWeights } from '../weights/read.js';
import { describedBy } from '../predict/modelSource.js';
import { licensesOfFolder, type DataLicense } from './dataLicense.js';

export interface BundleOptions {
  /** The file to write. Default: `<run>.zip` beside the run directory. */
  readonly out?: string | undefined;
  /** Licence of the training data, such as "CC-BY-4.0", for whoever gets the bundle. Default: what the folder of the data
   *  states. */
  readonly dataLicense?: string | undefined;
}

export interface Bundled {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Paths of the files in it. */
  readonly files: readonly string[];
  /** Licences of the data, and who states them; none if nobody does. */
  readonly dataLicenses: readonly DataLicense[];
  /** Options of the recipe whose absolute paths were shortened to their last part. */
  readonly shortened: readonly string[];
}

/** Files of a run that are put into a bundle where they exist. */
const RECIPE = 'recipe.yaml';
const OF_A_RUN = [RECIPE, 'metrics.json', 'versions.json', 'engines.json', 'bench.json'];
const WEIGHTS = 'checkpoints/best.safetensors';
/** Every bundle of the same files has the same bytes: entries have no time of their own. */
const MADE = new Date(1980, 0, 1);

/** Packs a finished run into one file: its best weights, recipe, metrics and exported models, with a hash of each, and the
 *  licences. Throws E_MODEL_PATH, E_BUNDLE_OUT if the file exists, E_RUN_WEIGHTS if its
 *  scores are those of other weights, and errors of the disk. */
export async function writeBundle(run: string, { out, dataLicense }: BundleOptions = {}): Promise<Bundled> {
  const isRun = 'uri' in (await locateModel(run)) && (await isFolder(run));
  if (!isRun)
    throw new FinetuneError({
      code: 'E_MODEL_PATH',
      message: 'a bundle is made of a run directory',
      where: { file: run },
      fix: 'name the directory that a run printed in its last line',
    });
  const directory = resolve(run);
  const file = resolve(out ?? `${directory}.zip`);
  if (await exists(file))
    throw new FinetuneError({
      code: 'E_BUNDLE_OUT',
      message: 'there is such a file already',
      where: { file },
      fix: 'remove it, or choose another --out',
    });
  const contents = await readRun(directory);
  const recipe = portableRecipe(new TextDecoder().decode(contents.get(RECIPE)));
  contents.set(RECIPE, new TextEncoder().encode(recipe.text));
  const dataLicenses = dataLicense === undefined ? await licensesOfData(directory) : [stated(dataLicense)];
  const manifest = await manifestOf(directory, contents, dataLicenses);
  const bytes = seal(pack([[MANIFEST, encode(manifest)], ...contents]));
  await writeAtomically(file, [bytes]);
  const { shortened } = recipe;
  return { file, sha256: hashOf(bytes), bytes: bytes.length, files: [...contents.keys()], dataLicenses, shortened };
}

const stated = (license: string): DataLicense => ({ license, source: '--data-license' });

/** What the folders of the run's data state, where they are on this machine. */
async function licensesOfData(directory: string): Promise<DataLicense[]> {
  const recipe = await loadRecipe(join(directory, RECIPE));
  const roots = rootsOf(recipe).map((root) => resolve(directory, root));
  const found = (await Promise.all(roots.map(licensesOfFolder))).flat();
  return [...new Map(found.map((one) => [`${one.license} ${one.source}`, one])).values()];
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

/** The files of a run that belong into a bundle, by their paths in it, in the order of these. */
async function readRun(directory: string): Promise<Map<string, Uint8Array>> {
  const inFolders = await Promise.all(
    (await modelFolders(directory)).map((folder) => filesBelow(join(directory, folder))),
  );
  const known = [WEIGHTS, ...OF_A_RUN].map((name) => join(directory, name));
  const paths = [...known, ...inFolders.flat()].map((path) => relative(directory, path).split(sep).join('/'));
  const contents = new Map<string, Uint8Array>();
  for (const path of paths.sort()) {
    const content = await readFile(join(directory, path)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    if (content) contents.set(path, content);
  }
  return contents;
}

/** Folders of a run that hold an exported model. */
async function modelFolders(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const isModel = await Promise.all(folders.map((name) => exists(join(directory, name, CARD_FILE))));
  return folders.filter((_, i) => isModel[i]);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

/** What `bundle.json` says. */
async function manifestOf(
  directory: string,
  contents: ReadonlyMap<string, Uint8Array>,
  data: readonly DataLicense[],
): Promise<object> {
  const weights = await readWeights(`file:${join(directory, WEIGHTS)}`);
  const description = describedBy(weights);
  await checkRunWeights(weights, description);
  if (contents.has('metrics.json') && !(await measuredOf(weights.source))) throw notMeasured(weights.source.file);
  const { task, categories } = description;
  const metrics = parse(contents.get('metrics.json'));
  const { metric = null, part = null, operatingPoint = null, calibration = null } = metrics;
  const hash = (name: string): string | null => (contents.has(name) ? hashOf(contents.get(name)!) : null);
  return {
    ...{ version: BUNDLE_VERSION, name: basename(directory), task, categories },
    ...{ weightsSha256: hash(WEIGHTS), recipeSha256: hash(RECIPE) },
    /** The score, which names its protocol, and the part of the data that it was measured on. */
    ...{ metric, part, operatingPoint, calibration },
    latencies: parse(contents.get('bench.json'))['rows'] ?? null,
    licenses: { weights: await licenseOfWeights(directory), data },
    files: Object.fromEntries(
      [...contents].map(([name, content]) => [name, { sha256: hashOf(content), bytes: content.length }]),
    ),
  };
}

const notMeasured = (file: string): FinetuneError =>
  new FinetuneError({
    code: 'E_RUN_WEIGHTS',
    message: 'metrics.json of this run was measured on other weights, or is damaged',
    where: { file },
    fix: 'put the weights of the run back; or remove metrics.json and continue the run with --resume, which scores it again',
  });

async function licenseOfWeights(directory: string): Promise<object[]> {
  const { weights } = (await loadRecipe(join(directory, RECIPE))).model;
  if (!weights) return [];
  const known = findInCatalog(weights);
  return [{ weights: known?.name ?? weights.replace(/^(file|run):.*[\\/]/, '$1:'), license: known?.licence ?? null }];
}

const encode = (content: object): Uint8Array => new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`);

function parse(bytes: Uint8Array | undefined): Record<string, unknown> {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** A zip archive of these files, uncompressed: weights do not shrink. */
function pack(files: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  const zippable: Zippable = {};
  for (const [name, content] of files) zippable[name] = [content, { level: 0, mtime: MADE }];
  return zipSync(zippable);
}

/** Ends a zip archive with the sha256 of its bytes, as its comment. */
function seal(zip: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(zip.length + SEAL_LENGTH);
  sealed.set(zip);
  new DataView(sealed.buffer).setUint16(zip.length - 2, SEAL_LENGTH, true); // the length of the comment
  sealed.set(new TextEncoder().encode(hashOf(sealed.subarray(0, zip.length))), zip.length);
  return sealed;
}
