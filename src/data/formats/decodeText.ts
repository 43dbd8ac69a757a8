import { FinetuneError } from '../../errors.js';

/** Decode the bytes of a text file, without the byte order mark and with line feeds for the carriage returns that end
 *  lines on old Macs: UTF-16 and UTF-8 by their marks, UTF-16 without a mark
 *  by its zero bytes, and everything else as UTF-8. Throws E_ENCODING with the first line that cannot be decoded, so
 *  that two names never become one through replacement characters. */
export const decodeText = (bytes: Uint8Array, file: string): string =>
  decode(bytes, file, undefined, 'save it as UTF-8');

/** Decode an XML file as decodeText does, or by the encoding that its first line declares, such as gbk. */
export const decodeXml = (bytes: Uint8Array, file: string): string =>
  decode(
    bytes,
    file,
    declaredEncoding(bytes),
    'save it as UTF-8, or let its first line declare its encoding: <?xml version="1.0" encoding="gbk"?>',
  );

function decode(bytes: Uint8Array, file: string, declared: string | undefined, fix: string): string {
  const fail = (message: string, line?: number): never => {
    throw new FinetuneError({ code: 'E_ENCODING', message, where: { file, ...(line && { line }) }, fix });
  };
  const marked = markedEncoding(bytes);
  if (marked === 'utf-32') fail('the file is UTF-32', 1);
  const encoding = marked ?? declared ?? 'utf-8';
  const decoder = strict(encoding);
  if (!decoder) return fail(`the file declares the encoding "${encoding}", which is not known`, 1);
  const text = attempt(decoder, bytes);
  if (text !== undefined && !text.includes('\0')) return text.includes('\r') ? text.replace(/\r(?!\n)/g, '\n') : text;
  const what = text === undefined ? `not ${encoding.toUpperCase()} text` : 'this is not text: it has a zero byte';
  return fail(what, text === undefined ? badLine(bytes, encoding) : lineAt(text, text.indexOf('\0')));
}

/** The encoding that the first bytes show: a byte order mark, or the zero bytes of UTF-16. Undefined if they show none. */
function markedEncoding(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' | 'utf-32' | undefined {
  const starts = (...mark: number[]): boolean => mark.every((byte, i) => bytes[i] === byte);
  if (starts(0xff, 0xfe, 0, 0) || starts(0, 0, 0xfe, 0xff)) return 'utf-32';
  if (starts(0xff, 0xfe)) return 'utf-16le';
  if (starts(0xfe, 0xff)) return 'utf-16be';
  if (starts(0xef, 0xbb, 0xbf)) return 'utf-8';
  const head = bytes.subarray(0, 64);
  const zeros = (parity: number): number => head.filter((byte, i) => i % 2 === parity && byte === 0).length;
  const [even, odd] = [zeros(0), zeros(1)];
  if (bytes.length % 2 !== 0 || Math.max(even, odd) * 4 < head.length) return undefined;
  if (even === 0 && head[1] === 0) return 'utf-16le';
  return odd === 0 && head[0] === 0 ? 'utf-16be' : undefined;
}

/** Code pages under the names that editors write and the Encoding Standard lacks. */
const ALIASES: Readonly<Record<string, string>> = {
  'latin-1': 'iso-8859-1',
  cp932: 'shift_jis',
  cp936: 'gbk',
  cp949: 'euc-kr',
  cp950: 'big5',
  cp65001: 'utf-8',
};

const DECLARATION = /^(?:\u00ef\u00bb\u00bf)?\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([\w.:-]+)["']/;

/** The encoding of an XML declaration. A declared UTF-16 is no answer: a declaration that can be read byte by byte is
 *  not UTF-16. */
function declaredEncoding(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 512));
  const label = DECLARATION.exec(head)?.[1]?.toLowerCase();
  const encoding = label && (ALIASES[label] ?? label);
  return encoding && strict(encoding)?.encoding.startsWith('utf-16') ? undefined : encoding;
}

/** A decoder that throws at the first wrong byte; undefined if the encoding is not known. */
function strict(encoding: string): TextDecoder | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch {
    return undefined;
  }
}

function attempt(decoder: TextDecoder, bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The first line that cannot be decoded by itself. In none of the encodings but UTF-16 is a line feed part of another
 *  character. */
function badLine(bytes: Uint8Array, encoding: string): number {
  if (encoding.startsWith('utf-16')) return 1;
  let start = 0;
  for (let line = 1; ; line++) {
    const end = bytes.indexOf(10, start);
    if (attempt(strict(encoding)!, bytes.subarray(start, end < 0 ? undefined : end)) === undefined) return line;
    if (end < 0) return 1;
    start = end + 1;
  }
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;
