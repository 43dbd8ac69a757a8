import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { maskedCrc32c, openEventFile } from '../../../src/train/log/tensorboard.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'events-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** The records of a file of TFRecords, every CRC checked. */
function records(bytes: Buffer): Uint8Array[] {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).toBe(maskedCrc32c(bytes.subarray(at, at + 8)));
    const record = bytes.subarray(at + 12, at + 12 + length);
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(maskedCrc32c(record));
    found.push(record);
    at += length + 16;
  }
  return found;
}

/** Field number → value, of one message: varints and text as they are, floats by width, nested messages as bytes. */
function fields(bytes: Uint8Array): Map<number, number | Uint8Array> {
  const reader = new BinaryReader(bytes);
  const found = new Map<number, number | Uint8Array>();
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    const read = [() => Number(reader.int64()), () => reader.double(), () => reader.bytes()][wire];
    found.set(field, read ? read() : reader.float());
  }
  return found;
}

const bytesOf = (value: number | Uint8Array | undefined) => value as Uint8Array;
const textOf = (value: number | Uint8Array | undefined) => Buffer.from(bytesOf(value)).toString();

describe('openEventFile', () => {
  // tensorboard 2.21.0: RecordWriter(f).write(b'hello')
  test('the CRC is the one of TensorFlow', () => {
    const golden = Buffer.from('0500000000000000eab2043e68656c6c6fbb1f1c19', 'hex');
    expect(maskedCrc32c(golden.subarray(0, 8))).toBe(golden.readUInt32LE(8));
    expect(maskedCrc32c(Buffer.from('hello'))).toBe(golden.readUInt32LE(17));
  });

  test('every scalar is in the file when the call returns', async () => {
    const events = openEventFile(await mkdtemp(join(dir, 'a-')));
    events.scalar('loss/train', 1.5, 10);
    events.scalar('größe', -0.25, 3_000_000_000);
    const [version, ...scalars] = records(await readFile(events.file)).map(fields);
    events.close();
    expect(textOf(version!.get(3))).toBe('brain.Event:2');
    expect(version!.get(1)).toBeGreaterThan(1.7e9);
    const read = scalars.map((event) => {
      const value = fields(bytesOf(fields(bytesOf(event.get(5))).get(1)));
      return [textOf(value.get(1)), value.get(2), event.get(2)];
    });
    expect(read).toEqual([
      ['loss/train', 1.5, 10],
      ['größe', -0.25, 3_000_000_000],
    ]);
  });

  test('a resumed run opens a file of its own and marks where it starts', async () => {
    const [first, second] = [openEventFile(dir), openEventFile(dir, { resumedAt: 40 })];
    first.close();
    second.close();
    expect((await readdir(dir)).filter((name) => name.startsWith('events.out.tfevents.'))).toHaveLength(2);
    const start = fields(records(await readFile(second.file))[1]!);
    expect(start.get(2)).toBe(40);
    expect(fields(bytesOf(start.get(7))).get(1)).toBe(1); // SessionLog.START
  });
});
