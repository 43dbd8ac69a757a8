import { readFile } from 'node:fs/promises';
import { FinetuneError } from '../../errors.js';
import type { ImageInput } from '../readImage.js';
import type { Input } from './findInputs.js';
import { asError, type Unreadable } from './walk.js';

/** Bytes of an image on stdin at most. */
const MOST_BYTES = 2 ** 30;

/** What `predict` takes for an input: the path of a file; or its bytes, if it comes from stdin or its name is not UTF-8. */
export async function readInput(input: Input, stdin: AsyncIterable<Uint8Array>): Promise<ImageInput | Unreadable> {
  const { name, path } = input;
  if (typeof path === 'string') return path;
  try {
    const bytes = path === undefined ? await readAll(stdin) : await readFile(path);
    if (bytes.length > 0) return bytes;
    const message = 'the image cannot be decoded: it has no bytes';
    return { name, error: new FinetuneError({ code: 'E_IMAGE_DECODE', message, where: { file: name } }) };
  } catch (error) {
    return { name, error: asError(error) };
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) {
      const message = `the image cannot be decoded: it has more than ${MOST_BYTES} bytes`;
      throw new FinetuneError({ code: 'E_IMAGE_DECODE', message, where: { file: '-' } });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
