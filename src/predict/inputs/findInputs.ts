import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import picomatch from 'picomatch';
import { didYouMean } from '../../didYouMean.js';
import { FinetuneError, type Problem } from '../../errors.js';
import { addressOf } from './fetchImage.js';
import { walk, type FoundFile, type Unreadable } from './walk.js';

/** An image to predict. */
export type Input =
  | (Pick<FoundFile, 'name' | 'path'> & { readonly url?: never })
  | { readonly name: string; readonly url: URL; readonly path?: never }
  | { readonly name: '-'; readonly path?: never; readonly url?: never };

/** The argument that stands for an image on stdin. */
export const STDIN = '-';

/** Names of the files that are taken for images: what sharp reads, and HEIC, whose absence a person would wonder about. */
const IMAGE = /\.(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif|hei[cf]|bmp|svg)$/i;

/** File names on these systems are the same in capitals and small letters. */
const nocase = process.platform === 'win32' || process.platform === 'darwin';

export interface FindOptions {
  /** The folder for the results, in which no images are looked for. */
  readonly without?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The images that the arguments of a command name: files, folders with all that is below them, patterns such as
 *  photos/*.jpg, addresses (http:, https:), and `-` for stdin. Each file is listed once. What cannot be read, and an
 *  argument that names no image, is listed in its place.
 *  Throws E_PREDICT_INPUT with each argument if none of them names an image. */
export async function findInputs(
  args: readonly string[],
  { without, signal }: FindOptions = {},
): Promise<(Input | Unreadable)[]> {
  const options = { signal, without: without === undefined ? undefined : resolve(without) };
  const found = new Map<string, Input | Unreadable>();
  const problems: Problem[] = [];
  for (const arg of new Set(args)) {
    let isEmpty = true;
    for await (const input of await searchOf(arg, options)) {
      isEmpty = false;
      const key = 'error' in input || input.path === undefined ? input.name : resolve(String(input.path));
      if (!found.has(key)) found.set(key, input);
    }
    if (!isEmpty) continue;
    const problem = await nothingIn(arg);
    problems.push(problem);
    found.set(arg, { name: arg, error: new FinetuneError(problem) });
  }
  if (problems.length === found.size) throw new FinetuneError(problems);
  return [...found.values()];
}

type Search = AsyncIterable<Input | Unreadable> | Iterable<Input | Unreadable>;

/** The images of one argument. */
async function searchOf(arg: string, options: FindOptions): Promise<Search> {
  if (arg === STDIN) return [{ name: STDIN }];
  const url = addressOf(arg);
  if (url) return [{ name: arg, url }];
  const info = await stat(arg).catch(() => undefined);
  if (info?.isDirectory()) return imagesBelow(arg, options);
  if (info) return fileOf(arg, info.isFile());
  const pattern = process.platform === 'win32' ? arg.replaceAll('\\', '/') : arg;
  if (picomatch.scan(pattern).isGlob) return matchesOf(pattern, options);
  return [{ name: arg, error: new FinetuneError(await missing(arg)) }];
}

function fileOf(name: string, isFile: boolean): Search {
  if (isFile) return [{ name, path: name }];
  const message = 'this is no file but a device, a pipe or a socket';
  const fix = 'write its content to stdin, and name it as -';
  return [{ name, error: new FinetuneError({ code: 'E_PREDICT_INPUT', message, where: { file: name }, fix }) }];
}

async function* imagesBelow(folder: string, options: FindOptions): AsyncGenerator<Input | Unreadable> {
  for await (const file of walk(folder, options)) if ('error' in file || IMAGE.test(file.name)) yield file;
}

/** The files that a pattern matches: only images, unless it names an ending itself. */
async function* matchesOf(pattern: string, options: FindOptions): AsyncGenerator<Input | Unreadable> {
  const { base, glob } = picomatch.scan(pattern);
  const isMatch = picomatch(glob, { nocase });
  const namesEnding = /\.\w+$/.test(glob);
  const depth = glob.includes('**') ? Infinity : glob.split('/').length - 1;
  const folder = base === '' ? '.' : base;
  const info = await stat(folder).catch(() => undefined);
  if (!info?.isDirectory()) return;
  for await (const file of walk(folder, { ...options, depth })) {
    if ('error' in file) yield file;
    else if (isMatch(file.relative) && (namesEnding || IMAGE.test(file.name))) yield file;
  }
}

async function missing(file: string): Promise<Problem> {
  const siblings = await readdir(dirname(file)).catch(() => []);
  const hint = didYouMean(basename(file), siblings, 3);
  const fix = hint ?? 'name an image, a folder of images, or a pattern in quotes: "photos/**/*.jpg"';
  return { code: 'E_IMAGE_MISSING', message: 'there is no such file or folder', where: { file }, fix };
}

async function nothingIn(arg: string): Promise<Problem> {
  const info = await stat(arg).catch(() => undefined);
  if (info) {
    const message = 'the folder has no images';
    const fix = 'name the folder that holds them, or a pattern in quotes for files with other endings';
    return { code: 'E_PREDICT_INPUT', message, where: { file: arg }, fix };
  }
  const message = 'no image matches this pattern';
  const fix = 'a star stands for a part of a name, and **/ for folders of any depth: "photos/**/*.jpg"';
  return { code: 'E_PREDICT_INPUT', message, where: { file: arg }, fix };
}
