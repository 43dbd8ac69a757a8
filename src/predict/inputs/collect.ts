import { FinetuneError } from '../../errors.js';

/** Bytes of an image that comes through a stream at most. */
const MOST_BYTES = 2 ** 30;

/** The bytes of a stream; `name` tells in errors where they come from. Throws E_IMAGE_DECODE if they are too many. */
export async function collect(stream: AsyncIterable<Uint8Array>, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) {
      const message = `the image cannot be decoded: it has more than ${MOST_BYTES} bytes`;
      throw new FinetuneError({ code: 'E_IMAGE_DECODE', message, where: { file: name } });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
