import { describe, expect, it } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { inflateRawSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { bytesInMemory } from '../../src/bytes/byteSource.js';
import { readZipEntry, streamPacked } from '../../src/bytes/zip.js';
import { findZipDirectory, readZipEntries, ZipError } from '../../src/bytes/zipDirectory.js';

const inMemory = (bytes: Uint8Array) => bytesInMemory(bytes, 'x.zip');
async function entriesOf(bytes: Uint8Array) {
  const source = inMemory(bytes);
  return readZipEntries(source, await findZipDirectory(source));
}
async function contentsOf(bytes: Uint8Array): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  for (const entry of await entriesOf(bytes)) contents.set(entry.path, await readZipEntry(inMemory(bytes), entry));
  return contents;
}

const [ENTRY, END] = [0x02014b50, 0x06054b50];
const find = (bytes: Uint8Array, signature: number) =>
  Buffer.from(bytes).lastIndexOf(Buffer.from(Uint32Array.of(signature).buffer));

/** The archive of a single entry "a" with all its 64-bit fields in use, as large files have them. */
function toZip64(zip: Uint8Array, numbers: readonly bigint[]): Uint8Array {
  const entry = find(zip, ENTRY);
  const nameEnd = entry + 46 + 'a'.length;
  const extra = Buffer.alloc(4 + 8 * numbers.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * numbers.length, 2);
  for (const [i, number] of numbers.entries()) extra.writeBigUInt64LE(number, 4 + 8 * i);
  const bytes = Buffer.concat([zip.subarray(0, nameEnd), extra, zip.subarray(nameEnd)]);
  for (const field of [20, 24, 42]) bytes.writeUInt32LE(0xffffffff, entry + field);
  bytes.writeUInt16LE(extra.length, entry + 30);
  return bytes;
}

describe('a zip archive', () => {
  it.each([
    [0, 2_500_000, 3],
    [6, 60_000, 1],
  ] as const)('is read whole, and as it stands in pieces of a megabyte, level %i', async (level, length, count) => {
    const content = Uint8Array.from({ length }, (_, i) => (i * i) >> 8);
    const zip = zipSync({ 'a/ü.bin': content, 'a/': new Uint8Array(), empty: new Uint8Array() }, { level });
    const entries = await entriesOf(zip);
    expect(entries.map(({ path, size }) => [path, size])).toEqual([
      ['a/ü.bin', length],
      ['a/', 0],
      ['empty', 0],
    ]);
    expect(Buffer.from((await contentsOf(zip)).get('a/ü.bin')!).equals(content)).toBe(true);
    const pieces: Uint8Array[] = [];
    for await (const piece of streamPacked(inMemory(zip), entries[0]!)) pieces.push(piece);
    expect(pieces.length).toBe(count);
    const packed = Buffer.concat(pieces);
    expect((level === 0 ? packed : inflateRawSync(packed)).equals(content)).toBe(true);
  });

  it('may have sizes and offsets of 64 bits, and a comment', async () => {
    const text = new TextEncoder().encode('text');
    const zip = zipSync({ a: text }, { level: 0, comment: 'about the entry' });
    const archive = Buffer.concat([toZip64(zip, [4n, 4n, 0n]), text]);
    archive.writeUInt16LE(text.length, find(archive, END) + 20);
    expect(await contentsOf(archive)).toEqual(new Map([['a', text]]));
  });

  it('gives back what any archive holds', async () => {
    const file = fc.tuple(fc.string({ minLength: 1, maxLength: 9 }), fc.uint8Array({ maxLength: 300 }));
    const names = ([name]: readonly [string, unknown]) => !/\\|\0|^[a-z]:|^\/|(^|\/)\.\.(\/|$)|^__proto__$/i.test(name);
    const files = fc.uniqueArray(file.filter(names), { maxLength: 5, selector: ([name]) => name });
    await fc.assert(
      fc.asyncProperty(files, fc.constantFrom(0 as const, 1 as const, 9 as const), async (all, level) => {
        const zip = zipSync(Object.fromEntries(all), { level });
        expect(await contentsOf(zip)).toEqual(new Map(Object.entries(Object.fromEntries(all))));
      }),
    );
  });
});

describe('what is refused', () => {
  const zip = zipSync({ a: new Uint8Array(5000).fill(7) });
  const change = (bytes: Uint8Array, signature: number, offset: number, value: number) => {
    const changed = Buffer.from(bytes);
    changed.writeUInt32LE(value, find(bytes, signature) + offset);
    return changed;
  };

  it.each([
    ['nothing', new Uint8Array()],
    ['no archive', new Uint8Array(1000)],
    ['a part of an archive', change(zip, END, 4, 1)],
    ['a directory behind its end', change(zip, END, 16, zip.length)],
    ['more entries than fit', change(zip, END, 8, 0x0002_0002)],
    ['a comment that is longer', Buffer.concat([zip, new Uint8Array(3)])],
    ['no entry where the directory is', change(zip, ENTRY, 0, 0)],
    ['a name longer than the directory', change(zip, ENTRY, 28, 0xffff)],
    ['an entry behind the end', change(zip, ENTRY, 42, zip.length)],
    ['an offset that no header stands at', change(zip, ENTRY, 42, 1)],
    ['content longer than the archive', change(zip, ENTRY, 20, 0x7fffffff)],
    ['content that is cut short', change(zip, ENTRY, 20, 10)],
    ['more content than announced', change(zip, ENTRY, 24, 4999)],
    ['less content than announced', change(zip, ENTRY, 24, 5001)],
    ['an unknown method', change(zip, ENTRY, 10, 99)],
    ['an encrypted entry', change(zip, ENTRY, 8, 0x0008_0001)],
    ['strong encryption', change(zip, ENTRY, 8, 0x0008_0041)],
    ['a ZIP64 field that is too short', toZip64(zip, [5000n])],
    ['an offset of 2^64 − 1', toZip64(zip, [5000n, 20n, 2n ** 64n - 1n])],
    ['a size of 2^63', toZip64(zip, [2n ** 63n, 20n, 0n])],
    ['a packed size of 2^53', toZip64(zip, [5000n, 2n ** 53n, 0n])],
  ])('%s', async (_, bytes) => {
    await expect(contentsOf(bytes)).rejects.toThrow();
  });

  it.each(['../a', '/a', 'C:/a', 'b/../../a', '..\\a'])('a name that leads out: %s', async (name) => {
    const error: unknown = await entriesOf(zipSync({ [name]: new Uint8Array(1) })).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ZipError);
    expect((error as ZipError).outside).toBe(name.replaceAll('\\', '/'));
  });

  it('a range outside of the bytes', async () => {
    const source = inMemory(new Uint8Array(8));
    for (const [offset, length] of [
      [0, 9],
      [-1, 1],
      [8, 1],
      [2 ** 60, 1],
      [0.5, 1],
      [NaN, 1],
      [0, NaN],
    ] as const) {
      await expect(source.read(offset, length)).rejects.toThrow(RangeError);
    }
    expect(await source.read(2, 6)).toHaveLength(6);
  });
});
