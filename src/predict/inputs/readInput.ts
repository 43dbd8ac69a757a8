import { readFile } from 'node:fs/promises';
import { FinetuneError } from '../../errors.js';
import type { ImageInput } from '../readImage.js';
import { collect } from './collect.js';
import { fetchImage } from './fetchImage.js';
import type { Input } from './findInputs.js';
import { asError, type Unreadable } from './walk.js';

/** What `predict` takes for an input: the path of a file; or its bytes, if it comes from stdin or a server, or its name is
 *  not UTF-8. */
export async function readInput(
  { name, path, url }: Input,
  stdin: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<ImageInput | Unreadable> {
  if (typeof path === 'string') return path;
  try {
    const bytes = url ? await fetchImage(url, { signal }) : await (path ? readFile(path) : collect(stdin, name));
    if (bytes.length > 0) return bytes;
    const message = 'the image cannot be decoded: it has no bytes';
    return { name, error: new FinetuneError({ code: 'E_IMAGE_DECODE', message, where: { file: name } }) };
  } catch (error) {
    return { name, error: asError(error) };
  }
}
