import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { bytesInMemory } from '../bytes/byteSource.js';
import { readZipEntry } from '../bytes/zip.js';
import { findZipDirectory, readZipEntries, ZipError } from '../bytes/zipDirectory.js';
import { FinetuneError } from '../errors.js';
import { readError } from '../files/disk.js';
import { unsafePath } from '../safePath.js';

/** The entry of a bundle that lists the others; it is the first one. */
export const MANIFEST = 'bundle.json';
/** The version of the manifest. It rises when an older program would misread a newer bundle. */
export const BUNDLE_VERSION = 1;
/** Characters of the sha256 of all that stands before it, with which a bundle ends: the comment of the zip archive. */
export const SEAL_LENGTH = 64;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const manifestSchema = z.looseObject({
  version: z.literal(BUNDLE_VERSION),
  task: z.string(),
  files: z.record(z.string(), z.strictObject({ sha256, bytes: z.int().min(0) })),
});
export type ReadManifest = z.output<typeof manifestSchema>;

/** What a bundle holds, once every hash was checked. */
export interface ReadBundle {
  /** sha256 of the whole file. */
  readonly sha256: string;
  readonly manifest: ReadManifest;
  /** The files of the run, by their paths. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Whether a file begins as a bundle does. */
export async function looksLikeBundle(file: string): Promise<boolean> {
  const head = Buffer.alloc(HEADER_BYTES + MANIFEST.length);
  const handle = await open(file).catch((error: unknown) => {
    throw readError(error);
  });
  try {
    await handle.read(head, 0, head.length, 0);
  } finally {
    await handle.close();
  }
  return head.readUInt32LE(0) === LOCAL_HEADER && head.subarray(HEADER_BYTES).toString('latin1') === MANIFEST;
}
/** Signature and length of the header before the name of a zip archive's entry. */
const [LOCAL_HEADER, HEADER_BYTES] = [0x04034b50, 30];

/** Reads a bundle, and checks that not a byte of it has changed. Throws E_MODEL_PATH, E_BUNDLE_DAMAGED, E_DISK_READ. */
export async function readBundle(file: string): Promise<ReadBundle> {
  const damaged = (message: string, cause?: unknown) =>
    new FinetuneError(
      {
        code: 'E_BUNDLE_DAMAGED',
        message,
        where: { file },
        fix: 'get the bundle again, or make it again: finetune bundle',
      },
      { cause },
    );
  const isFile = await stat(file).then(
    (entry) => entry.isFile(),
    () => false,
  );
  if (!isFile) {
    const fix = 'name the file that finetune bundle wrote';
    throw new FinetuneError({ code: 'E_MODEL_PATH', message: 'there is no such bundle', where: { file }, fix });
  }
  const bytes = await readFile(file).catch((error: unknown) => {
    throw readError(error);
  });
  const end = bytes.length - SEAL_LENGTH;
  if (end < 0 || hashOf(bytes.subarray(0, end)) !== bytes.subarray(end).toString('latin1'))
    throw damaged('the bundle is not as it was written: the sha256 at its end is another one');
  let entries: Map<string, Uint8Array>;
  try {
    entries = await readEntries(bytes, file);
  } catch (error) {
    if (error instanceof ZipError) throw damaged(`the bundle is no sound zip archive: ${error.message}`, error);
    throw error;
  }
  const manifest = manifestSchema.safeParse(parseJson(entries.get(MANIFEST))).data;
  if (!manifest) throw damaged(`${MANIFEST} is missing, of a newer version, or not understood`);
  entries.delete(MANIFEST);
  const names = new Set([...entries.keys(), ...Object.keys(manifest.files)]);
  for (const name of names) {
    const [content, listed] = [entries.get(name), manifest.files[name]];
    if (!content) throw damaged(`${name} is missing`);
    if (!listed) throw damaged(`${name} is not listed in ${MANIFEST}`);
    if (hashOf(content) !== listed.sha256) throw damaged(`${name} has another sha256 than ${MANIFEST} says`);
    const why = unsafePath(name);
    if (why !== undefined) throw damaged(`${name} may not be unpacked: ${why}`);
  }
  return { sha256: hashOf(bytes), manifest, files: entries };
}

async function readEntries(bytes: Uint8Array, file: string): Promise<Map<string, Uint8Array>> {
  const source = bytesInMemory(bytes, file);
  const entries = await readZipEntries(source, await findZipDirectory(source));
  const contents = new Map<string, Uint8Array>();
  for (const entry of entries) contents.set(entry.path, await readZipEntry(source, entry));
  return contents;
}

function parseJson(bytes: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
