import { CocoError } from './errors.js';

/** Decodes UTF-8 bytes, without the byte-order mark.
 *  Throws E_COCO_ENCODING with the offset of the first byte that is not UTF-8; `base` is the offset of bytes[0] in the
 *  file. */
export function decodeUtf8(bytes: Uint8Array, base = 0): string {
  const mark = base === 0 ? (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0) : 0;
  if (mark === 0xfffe || mark === 0xfeff) {
    throw new CocoError({ code: 'E_COCO_ENCODING', message: 'the file is UTF-16', fix: 'save it as UTF-8' });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const offset = firstInvalid(bytes);
    throw new CocoError(
      {
        code: 'E_COCO_ENCODING',
        message: `byte 0x${(bytes[offset] ?? 0).toString(16)} is not UTF-8`,
        where: { offset: base + offset },
        fix: 'save the file as UTF-8',
      },
      { cause: error },
    );
  }
}

/** Finds the first wrong byte by bisection over the longest prefix that decodes; with `stream`, a prefix may end within
 *  a character. */
function firstInvalid(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.length + 1;
  while (invalid - valid > 1) {
    const middle = Math.floor((valid + invalid) / 2);
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      valid = middle;
    } catch {
      invalid = middle;
    }
  }
  let culprit = Math.min(valid, bytes.length - 1);
  // An ASCII byte is never wrong itself: it interrupts a character, whose first byte is reported.
  if (bytes[culprit]! < 0x80)
    do culprit--;
    while ((bytes[culprit]! & 0xc0) === 0x80);
  return culprit;
}
