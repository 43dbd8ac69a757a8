import { describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { decodeText, decodeXml } from '../../src/data/formats/decodeText.js';
import { readLines } from '../../src/data/formats/textFile.js';

const utf16 = (text: string, bigEndian = false): Uint8Array => {
  const bytes = Buffer.from(text, 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
};
const xml = (encoding: string, name: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(`<?xml version="1.0" encoding="${encoding}"?>\n<name>`), name, Buffer.from('</name>')]);
const fails = (read: () => unknown, line: number, message: string) =>
  expect(read).toThrow(
    expect.objectContaining({
      problems: [
        expect.objectContaining({
          code: 'E_ENCODING',
          where: { file: 'a.txt', line },
          message: expect.stringContaining(message) as unknown,
        }),
      ],
    }),
  );

describe('decodeText', () => {
  const text = '{"name": "né"}\nnè\n';
  test.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16', utf16(`\ufeff${text}`)],
    ['big-endian UTF-16', utf16(`\ufeff${text}`, true)],
    ['UTF-16 without a mark', utf16(text)],
    ['big-endian UTF-16 without a mark', utf16(text, true)],
  ])('reads %s', (_, bytes) => {
    expect(decodeText(bytes, 'a.txt')).toBe(text);
    expect(readLines(bytes, 'a.txt')).toEqual(['{"name": "né"}', 'nè', '']);
  });

  test('names the first line that is neither', () => {
    fails(() => decodeText(Buffer.from('file;label\r\na.jpg;né\r\n', 'latin1'), 'a.txt'), 2, 'not UTF-8');
    fails(() => decodeText(Buffer.from('a\nb\0c\n'), 'a.txt'), 2, 'zero byte');
    fails(() => decodeText(Buffer.from([0xff, 0xfe, 0, 0, 65, 0, 0, 0]), 'a.txt'), 1, 'UTF-32');
    fails(() => decodeText(Buffer.from([0xff, 0xfe, 65]), 'a.txt'), 1, 'UTF-16');
  });

  test('keeps every text of UTF-8 as it is, and never makes one text of two', () => {
    const bytes = fc.uint8Array({ maxLength: 12 });
    const read = (one: Uint8Array): string | undefined => {
      try {
        return decodeText(one, 'a.txt');
      } catch {
        return undefined;
      }
    };
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const [first, second] = [read(a), read(b)];
        const isMarked = [a, b].some((one) => one.includes(0) || one[0]! >= 0xef);
        if (first !== undefined && first === second && !isMarked) expect(a).toEqual(b);
      }),
    );
  });
});

describe('decodeXml', () => {
  test.each([
    ['ISO-8859-1', Buffer.from('né nè', 'latin1'), 'né nè'],
    ['latin-1', Buffer.from('né', 'latin1'), 'né'],
    ['gbk', Buffer.from([0xb0, 0xb2, 0xc8, 0xab, 0xc3, 0xb1]), '安全帽'],
    ['GB2312', Buffer.from([0xb0, 0xb2, 0xc8, 0xab, 0xc3, 0xb1]), '安全帽'],
    ['cp932', Buffer.from([0x93, 0xfa, 0x96, 0x7b]), '日本'],
    ['utf-8', Buffer.from('né'), 'né'],
    ['utf-16', Buffer.from('né'), 'né'], // the declaration can be read byte by byte, so it is wrong
  ])('reads what is declared as %s', (encoding, name, expected) => {
    expect(/<name>(.*)<\/name>/.exec(decodeXml(xml(encoding, name), 'a.txt'))![1]).toBe(expected);
  });

  test('believes a mark more than a declaration', () => {
    expect(decodeXml(utf16('\ufeff<?xml version="1.0" encoding="gbk"?><a>né</a>'), 'a.txt')).toContain('né');
  });

  test('names a line that the declared encoding does not have, and an unknown encoding', () => {
    fails(() => decodeXml(xml('utf-8', Buffer.from('né', 'latin1')), 'a.txt'), 2, 'not UTF-8');
    fails(() => decodeXml(xml('gbk', Buffer.from([0x81, 0x20])), 'a.txt'), 2, 'not GBK');
    fails(() => decodeXml(xml('martian', Buffer.from('a')), 'a.txt'), 1, '"martian"');
    fails(() => decodeXml(Buffer.from('<a>\n\xe9</a>', 'latin1'), 'a.txt'), 2, 'not UTF-8');
  });
});
