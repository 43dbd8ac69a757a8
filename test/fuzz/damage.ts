import { expect } from '@jest/globals';
import { FinetuneError } from '../../src/errors.js';
import * as fc from '../fastCheck.js';

/** Texts and bytes that files break at: limits of numbers, ends of texts, openings without an end. */
const WORDS = [
  '', '\0', '"', '{', '}', '[', ']', '<', '>', '&amp;', '&x;', ',', ';', '\t', '\n', '\r\n', '\uFEFF', '\ud7ff', 'null', 'true', '-1', '0', '1e999', 'NaN',
  '1.5', '4294967296', '9007199254740993', '..', '../', '/', '\\', '%2f', 'C:', '__proto__', '[[[[[[[[', '{"a":', '<a><a>', '*a', '&a [*a]', '!!js', '~',
].map((word) => Buffer.from(word)); // prettier-ignore
const NUMBERS = [0, 1, 2, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff].flatMap((value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return [bytes, bytes.subarray(0, 1), Buffer.from(bytes).reverse()];
});

/** The bytes with a few places overwritten, removed, put in, repeated or cut off. Most changes are near the start or the
 *  end, where headers and directories are. */
export function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const size = bytes.byteLength;
  const at = fc.oneof(fc.nat({ max: size }), fc.nat({ max: Math.min(size, 200) }), fc.nat({ max: Math.min(size, 200) }).map((n) => size - n)); // prettier-ignore
  const piece = fc.oneof(fc.constantFrom(...WORDS, ...NUMBERS), fc.uint8Array({ minLength: 1, maxLength: 8 }));
  const change = fc.record({ at, piece, kind: fc.constantFrom('put', 'insert', 'remove', 'repeat', 'cut'), length: fc.nat({ max: 40 }) }); // prettier-ignore
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) =>
    changes.reduce<Uint8Array>((now, { at, piece, kind, length }) => {
      const [before, after] = [now.subarray(0, at), now.subarray(at)];
      if (kind === 'put') return Buffer.concat([before, piece, after.subarray(piece.length)]);
      if (kind === 'insert') return Buffer.concat([before, piece, after]);
      if (kind === 'remove') return Buffer.concat([before, after.subarray(length)]);
      if (kind === 'repeat') return Buffer.concat([before, after.subarray(0, length), after]);
      return at > 0 ? before : now; // cut
    }, bytes),
  );
}

/** Does the work, which may succeed; if it fails, then with an error of ours that is no mistake of ours. */
export async function isHandled(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof FinetuneError)) throw error;
    expect(error.code).not.toBe('E_INTERNAL');
    expect(error.message).not.toContain('internal:');
    expect(error.message.length).toBeLessThan(100_000);
  }
}
