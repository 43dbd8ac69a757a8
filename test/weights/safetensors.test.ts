import { describe, expect, it } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FinetuneError } from '../../src/errors.js';
import { bytesInMemory } from '../../src/bytes/byteSource.js';
import { decodeSafetensors, readSafetensorsHeader } from '../../src/weights/decode/safetensors.js';
import { encodeSafetensors, type Writable } from '../../src/weights/encodeSafetensors.js';
import { readSafetensors, writeSafetensors } from '../../src/weights/safetensorsFile.js';
import { withBytesOf } from '../../src/files/openBytes.js';

const decode = (bytes: Uint8Array) => decodeSafetensors(bytesInMemory(bytes, 'x.safetensors'));

// Written by the Python library: fixtures/make.py.
const fixture = (name: string): string => join(import.meta.dirname, 'fixtures', name);

describe('safetensors from Python', () => {
  it('reads every type as Python does', async () => {
    const golden = JSON.parse(await readFile(fixture('python.json'), 'utf8')) as {
      versions: string;
      tensors: Record<string, { shape: number[]; values: (number | string)[] }>;
    };
    const { metadata, tensors } = await readSafetensors(fixture('python.safetensors'));
    expect(metadata).toEqual({ format: 'pt', note: golden.versions });
    expect([...tensors.keys()].sort()).toEqual(Object.keys(golden.tensors).sort());
    for (const [name, { shape, values }] of Object.entries(golden.tensors)) {
      const tensor = tensors.get(name)!;
      expect(tensor.shape).toEqual(shape);
      const seen = Array.from(tensor.data as Float32Array, (v) => (typeof v === 'bigint' ? String(v) : v));
      expect(seen).toEqual(name === 'f64' ? values.map((v) => Math.fround(Number(v))) : values);
    }
  });

  it('writes float32 byte for byte as Python does', async () => {
    const bytes = await readFile(fixture('float32.safetensors'));
    const { metadata, tensors } = await decode(bytes);
    const shuffled = new Map([...tensors].reverse()) as Map<string, Writable>;
    expect(Buffer.from(encodeSafetensors(shuffled, { metadata })).equals(bytes)).toBe(true);
  });
});

const tensor = fc.array(fc.nat(4), { maxLength: 4 }).chain((shape) => {
  const length = shape.reduce((product, size) => product * size, 1);
  const floats = fc.float32Array({ minLength: length, maxLength: length });
  const ints = fc.int32Array({ minLength: length, maxLength: length });
  const longs = fc.bigInt64Array({ minLength: length, maxLength: length });
  return fc.record({ shape: fc.constant(shape), data: fc.oneof(floats, ints, longs) });
});
const name = fc.string({ unit: 'binary' }).filter((text) => text !== '__metadata__');
const files = fc.array(fc.tuple(name, tensor), { maxLength: 5 }).map((entries) => new Map(entries));
const metadata = fc.dictionary(fc.string(), fc.string());

describe('safetensors round trip', () => {
  it('gives back names, shapes, values and metadata, in either order', async () => {
    const orders = fc.constantFrom('sorted' as const, 'insertion' as const);
    await fc.assert(
      fc.asyncProperty(files, metadata, orders, async (tensors, meta, order) => {
        const back = await decode(encodeSafetensors(tensors, { metadata: meta, order }));
        expect({ ...back.metadata }).toEqual({ ...meta });
        expect(back.tensors.size).toBe(tensors.size);
        for (const [key, { shape, data }] of tensors) {
          expect(back.tensors.get(key)?.shape).toEqual(shape);
          expect(back.tensors.get(key)?.data).toEqual(data);
        }
      }),
    );
  });

  it('keeps the order of insertion, numbers for names included', async () => {
    const one = { shape: [1], data: Float32Array.of(1) };
    const bytes = encodeSafetensors(
      new Map([
        ['b', one],
        ['10', one],
        ['a', one],
        ['2', one],
      ]),
      { order: 'insertion' },
    );
    expect([...(await decode(bytes)).tensors.keys()]).toEqual(['b', '10', 'a', '2']);
  });

  it('writes through a temporary file and reads the header alone', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'safetensors-'));
    const file = join(dir, 'x.safetensors');
    await writeSafetensors(file, new Map([['w', { shape: [2, 3], data: new Float32Array(6).fill(0.5) }]]));
    expect(await readdir(dir)).toEqual(['x.safetensors']);
    const { tensors } = await withBytesOf(file, readSafetensorsHeader);
    expect(tensors.get('w')).toEqual({ dtype: 'F32', shape: [2, 3], begin: 0, end: 24 });
    const none = await readSafetensors(file, (key) => key !== 'w');
    expect(none.tensors.size).toBe(0);
  });

  it('refuses to write what cannot be read back', async () => {
    const wrong = { shape: [3], data: Float32Array.of(1) };
    expect(await codesOf(() => encodeSafetensors(new Map([['w', wrong]])))).toEqual(['E_SAFETENSORS_SIZE']);
    expect(await codesOf(() => encodeSafetensors(new Map([['__metadata__', wrong]])))).toEqual(['E_SAFETENSORS_NAME']);
  });
});

describe('broken safetensors', () => {
  const f32 = (shape: number[], begin: number, end: number) => ({ dtype: 'F32', shape, data_offsets: [begin, end] });

  it.each([
    ['size against shape', { a: f32([2], 0, 4) }, 4, ['E_SAFETENSORS_SIZE']],
    ['overlap', { a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12, ['E_SAFETENSORS_OFFSETS']],
    ['hole', { a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12, ['E_SAFETENSORS_OFFSETS']],
    ['rest', { a: f32([1], 0, 4) }, 5, ['E_SAFETENSORS_OFFSETS']],
    ['cut short', { a: f32([2], 0, 8) }, 7, ['E_SAFETENSORS_TRUNCATED']],
    ['backwards', { a: f32([1], 4, 0) }, 4, ['E_SAFETENSORS_ENTRY']],
    ['negative size', { a: f32([-1], 0, 4) }, 4, ['E_SAFETENSORS_ENTRY']],
    ['huge size', { a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4, ['E_SAFETENSORS_SIZE']],
    ['unknown type', { a: { ...f32([1], 0, 4), dtype: 'Q4' } }, 4, ['E_SAFETENSORS_DTYPE']],
    ['no entry', { a: null }, 0, ['E_SAFETENSORS_DTYPE']],
    ['metadata of numbers', { __metadata__: { a: 1 } }, 0, ['E_SAFETENSORS_METADATA']],
    ['two at once', { a: f32([2], 0, 4), b: f32([-1], 4, 8) }, 8, ['E_SAFETENSORS_SIZE', 'E_SAFETENSORS_ENTRY']],
  ])('is told: %s', async (_, header, dataBytes, codes) => {
    const bytes = assemble(JSON.stringify(header), dataBytes);
    expect(await codesOf(() => decode(bytes))).toEqual(codes);
  });

  it.each([
    ['no JSON', assemble('{"a":', 0), 'E_SAFETENSORS_HEADER'],
    ['a list', assemble('[]', 0), 'E_SAFETENSORS_HEADER'],
    ['no UTF-8', assemble(Uint8Array.of(0x7b, 0xff, 0x7d), 0), 'E_SAFETENSORS_HEADER'],
    ['five bytes', new Uint8Array(5), 'E_SAFETENSORS_TRUNCATED'],
    ['header past the end', assemble('{}', 0).subarray(0, 9), 'E_SAFETENSORS_TRUNCATED'],
    ['a giant header', new Uint8Array(16).fill(0x7f), 'E_SAFETENSORS_HEADER'],
  ])('is told: %s', async (_, bytes, code) => {
    expect(await codesOf(() => decode(bytes))).toEqual([code]);
    const file = join(await mkdtemp(join(tmpdir(), 'safetensors-')), 'x.safetensors');
    await writeFile(file, bytes);
    const error = (await readSafetensors(file).catch((thrown: unknown) => thrown)) as FinetuneError;
    expect(error.problems).toMatchObject([{ code, where: { file } }]);
  });

  it('is told wherever the file is cut', async () => {
    const whole = encodeSafetensors(new Map([['w', { shape: [3], data: Float32Array.of(1, 2, 3) }]]));
    for (let length = 0; length < whole.byteLength; length++) {
      expect(await codesOf(() => decode(whole.subarray(0, length)))).toEqual(['E_SAFETENSORS_TRUNCATED']);
    }
  });
});

function assemble(header: string | Uint8Array, dataBytes: number): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.byteLength + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.byteLength), true);
  bytes.set(json, 8);
  return bytes;
}

async function codesOf(run: () => unknown): Promise<string[]> {
  try {
    await run();
  } catch (error) {
    return (error as FinetuneError).problems.map(({ code }) => code);
  }
  return [];
}
