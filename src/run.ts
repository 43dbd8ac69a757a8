import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FinetuneError } from './errors.js';

/** A folder of its own for a run: `recipe.yaml`, `metrics.jsonl`, `checkpoints/`, `report.html` … */
export interface RunDirectory {
  readonly path: string;
  /** Writes a file of the directory, atomically. */
  write(name: string, content: string): Promise<void>;
}

/** Makes the directory, or with `resume` goes on in it. Throws E_RUN_EXISTS where it holds something already. */
export async function openRunDirectory(path: string, { resume = false } = {}): Promise<RunDirectory> {
  const directory = resolve(path);
  await mkdir(directory, { recursive: true });
  const held = await readdir(directory);
  if (held.length > 0 && !resume) {
    const fix = 'choose another --out, or continue it with --resume';
    throw new FinetuneError({
      code: 'E_RUN_EXISTS',
      message: 'the run directory is not empty',
      where: { file: directory },
      fix,
    });
  }
  return {
    path: directory,
    async write(name, content) {
      const temporary = join(directory, `${name}.${process.pid}.tmp`);
      await writeFile(temporary, content, { flush: true });
      await rename(temporary, join(directory, name));
    },
  };
}

/** `<parent>/<name>-20261123-231500`, by local time. */
export function newRunPath(parent: string, name: string, now = new Date()): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return join(parent, `${name}-${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`);
}

/** Versions of what produced a run. */
export async function collectVersions(engine: string): Promise<Record<string, string>> {
  const own = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  const { default: sharp } = await import('sharp');
  const libraries = { sharp: sharp.versions.sharp, libvips: sharp.versions.vips };
  return {
    'tfjs-finetune': own.version,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    engine,
    ...libraries,
  };
}
