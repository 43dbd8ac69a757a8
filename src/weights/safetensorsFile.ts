import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { FinetuneError } from '../errors.js';
import { writeAtomically, type WriteOptions } from '../files/writeAtomically.js';
import { decodeSafetensors, readSafetensorsHeader, type Safetensors } from './decode/safetensors.js';
import type { SafetensorsHeader } from './decode/safetensorsHeader.js';
import { encodeSafetensorsParts, type SafetensorsOptions, type Writable } from './encodeSafetensors.js';
import { withBytesOf } from '../files/openBytes.js';

/** Reads the tensors of a file for which `wants` returns true (default: all), one at a time.
 *  Throws E_SAFETENSORS_… with the file. */
export const readSafetensors = (file: string, wants?: (name: string) => boolean): Promise<Safetensors> =>
  withBytesOf(file, (source) => decodeSafetensors(source, wants));

/** Reads the header, and compares the values with the hash that `writeSafetensors` put into the metadata.
 *  Throws E_SAFETENSORS_… with the file, E_SAFETENSORS_SHA256 if the hash is absent or another one. */
export async function verifySafetensors(file: string): Promise<SafetensorsHeader> {
  const header = await withBytesOf(file, readSafetensorsHeader);
  const { sha256, ...metadata } = header.metadata;
  const hash = createHash('sha256').update(JSON.stringify(metadata));
  await pipeline(createReadStream(file, { start: header.dataStart }), hash, { end: false });
  if (hash.digest('hex') === sha256) return header;
  const message = sha256 ? 'its bytes are not those that were written' : 'it holds no hash of its bytes';
  throw new FinetuneError({ code: 'E_SAFETENSORS_SHA256', message, where: { file } });
}

/** Writes a file atomically, with a sha256 over metadata and values among the metadata.
 *  Throws E_SAFETENSORS_{SIZE,NAME} and what writeAtomically throws. */
export async function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, Writable>,
  { metadata = {}, order = 'sorted', ...writing }: SafetensorsOptions & WriteOptions = {},
): Promise<void> {
  const [, ...values] = encodeSafetensorsParts(tensors, { order });
  const hash = createHash('sha256').update(JSON.stringify(metadata));
  for (const part of values) hash.update(part);
  const hashed = { ...metadata, sha256: hash.digest('hex') };
  await writeAtomically(file, encodeSafetensorsParts(tensors, { metadata: hashed, order }), writing);
}
