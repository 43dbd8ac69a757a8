import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';

/** Texts by file name, written as a folder → its path. */
export function writeFolder(dir: string, name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(dir, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  return folder;
}

/** The same as a zip. */
export function writeZip(dir: string, name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const path = join(dir, name);
  const encode = (content: string | Uint8Array) =>
    typeof content === 'string' ? new TextEncoder().encode(content) : content;
  writeFileSync(
    path,
    zipSync(Object.fromEntries(Object.entries(files).map(([file, content]) => [file, encode(content)]))),
  );
  return path;
}
