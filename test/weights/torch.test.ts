import { describe, expect, it } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { FinetuneError } from '../../src/errors.js';
import { unpickle } from '../../src/weights/decode/pickle.js';
import { readTorch } from './readers.js';

const fixtures = join(import.meta.dirname, 'fixtures', 'torch'); // fixtures/makeTorch.py
const fixture = (name: string) => join(fixtures, name);
interface Golden {
  readonly tensors: Record<string, { shape: number[]; values: (number | string | boolean)[] }>;
}

async function problemsOf(promise: Promise<unknown>) {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof FinetuneError) return error.problems;
  throw error instanceof Error ? error : new Error('it did not fail');
}

async function place(content: Uint8Array, name = 'x.pth'): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'torch-')), name);
  await writeFile(file, content);
  return file;
}

describe('a state dict', () => {
  it.each(['zip.pth', 'legacy.pth'])('%s has the values that Python sees', async (name) => {
    const { tensors } = JSON.parse(await readFile(fixture('golden.json'), 'utf8')) as Golden;
    const read = await readTorch(fixture(name));
    expect([...read.tensors.keys()]).toEqual(Object.keys(tensors));
    for (const [key, { shape, values }] of Object.entries(tensors)) {
      const { data, ...tensor } = read.tensors.get(key)!;
      expect([key, tensor.shape]).toEqual([key, shape]);
      const python = values.map((value) => (typeof value === 'string' ? BigInt(value) : Number(value)));
      const floats = data instanceof Float32Array;
      const expected = floats ? python.map((value) => Math.fround(Number(value))) : python;
      expect([key, Array.from<number | bigint>(data as Float32Array)]).toEqual([key, expected]);
    }
    expect(read.tensors.get('f16')?.dtype).toBe('float16');
    expect(read.tensors.get('i64')?.data).toEqual(BigInt64Array.of(2n ** 53n + 1n, -1n));
  });

  it('is found inside a checkpoint, averaged weights first, without the wrapper that DataParallel leaves', async () => {
    const { tensors, metadata } = await readTorch(fixture('checkpoint.pth'));
    expect([...tensors.keys()]).toEqual(['conv.weight', 'bn.num_batches_tracked']);
    expect(tensors.get('conv.weight')?.data).toEqual(Float32Array.of(2, 2)); // the weights of the EMA
    expect(metadata).toEqual({
      'state dict': 'state_dict_ema',
      prefix: 'module.',
      epoch: '12',
      arch: 'tiny',
      metric: '0.75',
    });
  });

  it('may hold Parameters', async () => {
    const { tensors } = await readTorch(fixture('parameters.pth'));
    expect(tensors.get('weight')).toEqual({ shape: [1, 2], dtype: 'float32', data: Float32Array.of(1, 2) });
  });
});

describe('what is refused', () => {
  it.each([
    ['hostile.pth', 'E_TORCH_GLOBAL', 'posix.system'],
    ['hostileLegacy.pth', 'E_TORCH_GLOBAL', 'posix.system'],
    ['hostileProtocol4.pth', 'E_TORCH_GLOBAL', 'posix.system'],
    ['module.pth', 'E_TORCH_GLOBAL', 'torch.nn.modules.linear.Linear'],
    ['script.pt', 'E_TORCH_FORMAT', 'TorchScript'],
  ])('%s', async (name, code, text) => {
    const [problem, ...others] = await problemsOf(readTorch(fixture(name)));
    expect(problem).toMatchObject({ code, where: { file: fixture(name) } });
    expect(problem?.message).toContain(text);
    expect(others).toEqual([]);
    expect(existsSync('tfjs-finetune-escaped.txt')).toBe(false);
  });

  it.each([
    ['nothing', new Uint8Array(), 'E_TORCH_FORMAT'],
    ['text', Buffer.from('hello'), 'E_TORCH_FORMAT'],
    ['a zip of something else', zipSync({ 'a/b.txt': Buffer.from('b') }), 'E_TORCH_FORMAT'],
    ['a pickle of something else', Uint8Array.of(0x80, 2, 0x4b, 1, 0x2e), 'E_TORCH_FORMAT'],
    ['no dict', zipSync({ 'a/data.pkl': Uint8Array.of(0x80, 2, 0x4e, 0x2e) }), 'E_TORCH_STATE_DICT'],
    ['an empty dict', zipSync({ 'a/data.pkl': Uint8Array.of(0x80, 2, 0x7d, 0x2e) }), 'E_TORCH_STATE_DICT'],
    [
      'big-endian',
      zipSync({ 'a/data.pkl': Uint8Array.of(0x4e, 0x2e), 'a/byteorder': Buffer.from('big') }),
      'E_TORCH_FORMAT',
    ],
    ['a missing storage', zipSync({ 'a/data.pkl': tensorPickle({}) }), 'E_TORCH_TRUNCATED'],
    ['a short storage', torchZip({}, 12), 'E_TORCH_TRUNCATED'],
    ['a tensor beyond its storage', torchZip({ shape: [5] }), 'E_TORCH_TENSOR'],
    ['an offset beyond its storage', torchZip({ offset: 1 }), 'E_TORCH_TENSOR'],
    ['strides beyond its storage', torchZip({ shape: [2], stride: 4 }), 'E_TORCH_TENSOR'],
    ['a bomb of zero strides', torchZip({ shape: [1 << 30], stride: 0 }), 'E_TORCH_TENSOR'],
    ['a storage of no type', zipSync({ 'a/data.pkl': tensorPickle({ type: 'torch.Size' }) }), 'E_TORCH_PICKLE'],
    ['a negative size', torchZip({ shape: [-4] }), 'E_TORCH_PICKLE'],
  ] as const)('%s', async (_, content, code) => {
    const file = await place(content);
    expect(await problemsOf(readTorch(file))).toMatchObject([{ code, where: { file } }]);
  });

  it('reads what the broken ones above are made from', async () => {
    const { tensors } = await readTorch(await place(torchZip({})));
    expect(tensors.get('w')?.data).toEqual(Float32Array.of(0, 0, 0, 0));
  });

  it.each(['zip.pth', 'legacy.pth', 'checkpoint.pth'])('%s, wherever it is cut', async (name) => {
    const whole = await readFile(fixture(name));
    const file = await place(whole);
    for (let length = 0; length < whole.length; length += 61) {
      await writeFile(file, whole.subarray(0, length));
      const [problem] = await problemsOf(readTorch(file));
      expect(problem?.code).toMatch(/^E_TORCH_/);
      expect(problem?.where).toEqual({ file });
    }
  });
});

describe('an offset of the zip beyond what a file can have', () => {
  /** Signature of a record, and where in it a 64-bit offset or size stands (APPNOTE.TXT 4.3.14, 4.3.15). */
  it.each([
    ['the locator of the zip64 end record', 0x07064b50, 8],
    ['the number of entries in the zip64 end record', 0x06064b50, 32],
    ['the start of the directory in the zip64 end record', 0x06064b50, 48],
  ])('is refused: %s', async (_, signature, at) => {
    const whole = await readFile(fixture('zip.pth'));
    for (const value of [2n ** 64n - 1n, 2n ** 63n, 2n ** 53n, 2n ** 40n, BigInt(whole.length)]) {
      const bytes = Buffer.from(whole);
      bytes.writeBigUInt64LE(value, bytes.indexOf(Uint8Array.from(Buffer.from(Uint32Array.of(signature).buffer))) + at);
      const file = await place(bytes);
      expect(await problemsOf(readTorch(file))).toMatchObject([{ code: 'E_TORCH_TRUNCATED', where: { file } }]);
    }
  });
});

it('ends with values or an error of ours wherever bytes are changed', async () => {
  const files = await Promise.all(['zip.pth', 'legacy.pth'].map((name) => readFile(fixture(name))));
  const file = await place(new Uint8Array());
  const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...files),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      async (whole, changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        await writeFile(file, bytes);
        const error: unknown = await readTorch(file).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error !== undefined) expect(error).toBeInstanceOf(FinetuneError);
      },
    ),
    { numRuns: 300 },
  );
});

describe('the unpickler', () => {
  const scope = { file: 'x', global: () => undefined, call: () => undefined, persistent: () => undefined };
  const run = (...bytes: number[]) => unpickle(Uint8Array.from(bytes), 0, scope).value;
  const codeOf = (...bytes: number[]) => {
    try {
      return `no error: ${String(run(...bytes))}`;
    } catch (error) {
      return (error as FinetuneError).code;
    }
  };

  it('makes data', () => {
    expect(run(0x80, 4, 0x28, 0x4b, 1, 0x4b, 2, 0x74, 0x2e)).toEqual([1, 2]); // (1, 2)
    expect(run(0x8a, 1, 0xff, 0x2e)).toBe(-1);
    expect(run(0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x2e)).toBe(2n ** 64n);
    expect(run(0x8a, 0, 0x2e)).toBe(0);
    expect(run(0x7d, 0x71, 0, 0x8c, 1, 0x61, 0x68, 0, 0x73, 0x2e)).toBeInstanceOf(Map); // d = {}; d["a"] = d
  });

  it.each([
    ['no opcode that makes objects', [0x69, 0x2e], 'E_TORCH_PICKLE'], // INST
    ['an unknown opcode', [0xff], 'E_TORCH_PICKLE'],
    ['an empty stack', [0x30], 'E_TORCH_PICKLE'],
    ['no mark', [0x74], 'E_TORCH_PICKLE'],
    ['an empty memo', [0x68, 7], 'E_TORCH_PICKLE'],
    ['a call of a number', [0x4b, 1, 0x29, 0x52], 'E_TORCH_PICKLE'],
    ['items of a list set', [0x5d, 0x4b, 1, 0x4b, 1, 0x73], 'E_TORCH_PICKLE'],
    ['a global', [0x63, 0x6f, 0x73, 0x0a, 0x78, 0x0a, 0x2e], 'E_TORCH_GLOBAL'],
    ['a global from the stack', [0x8c, 1, 0x61, 0x8c, 1, 0x62, 0x93], 'E_TORCH_GLOBAL'],
    ['a text of 2^63 bytes', [0x8d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x61], 'E_TORCH_TRUNCATED'],
    ['no end', [0x4e], 'E_TORCH_TRUNCATED'],
    ['a global without an end', [0x63, 0x61], 'E_TORCH_TRUNCATED'],
  ])('refuses %s', (_, bytes, code) => {
    expect(codeOf(...bytes)).toBe(code);
  });

  it('ends with an answer or an error of ours whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(codeOf(...bytes)).toMatch(/^(E_TORCH_|no error)/);
      }),
      { numRuns: 2000 },
    );
  });
});

interface Described {
  readonly shape?: readonly number[];
  readonly stride?: number;
  readonly offset?: number;
  readonly type?: string;
}

/** {"w": a tensor} over storage "0" of four floats. */
function tensorPickle({ shape = [4], stride = 1, offset = 0, type = 'torch.FloatStorage' }: Described) {
  const text = (value: string) => [0x58, ...Buffer.from(Uint32Array.of(value.length).buffer), ...Buffer.from(value)];
  const global = (name: string) => Buffer.from(`c${name.replace(/\.(?=\w+$)/, '\n')}\n`);
  const int = (value: number) => [0x4a, ...Buffer.from(Int32Array.of(value).buffer)];
  const tuple = (...items: number[][]) => [0x28, ...items.flat(), 0x74];
  const id = tuple(text('storage'), [...global(type)], text('0'), text('cpu'), int(4));
  const args = tuple(
    [...id, 0x51],
    int(offset),
    tuple(...shape.map(int)),
    tuple(...shape.map(() => int(stride))),
    [0x89],
    [0x4e],
  );
  return Uint8Array.from([
    0x80,
    2,
    0x7d,
    ...text('w'),
    ...global('torch._utils._rebuild_tensor_v2'),
    ...args,
    0x52,
    0x73,
    0x2e,
  ]);
}

function torchZip(tensor: Described, bytes = 16): Uint8Array {
  return zipSync({ 'a/data.pkl': tensorPickle(tensor), 'a/data/0': new Uint8Array(bytes) });
}
