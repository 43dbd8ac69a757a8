import { hostname } from 'node:os';
import { join } from 'node:path';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { appendTo } from '../../files/appendTo.js';

/** An open TensorBoard event file. */
export interface EventFile {
  readonly file: string;
  /** Writes one value. The operating system has it when the call returns, so that a killed run loses none. */
  scalar(tag: string, value: number, step: number): void;
  close(): void;
}

/** Opens a new event file in the folder `dir`. With `resumedAt`, TensorBoard discards what earlier
 *  files of `dir` say about that step and later ones: they came after the last checkpoint of a run that was killed.
 *  Format: tensorflow/core/util/event.proto, tensorflow/core/lib/io/record_writer.cc. */
export function openEventFile(dir: string, { resumedAt }: { readonly resumedAt?: number } = {}): EventFile {
  const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0');
  opened += 1;
  const file = join(dir, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${opened}`);
  const events = appendTo(file, { isNew: true });
  const write = (writeWhat: (event: BinaryWriter) => BinaryWriter, step = 0) => {
    const event = new BinaryWriter()
      .tag(1, WireType.Bit64)
      .double(Date.now() / 1000)
      .tag(2, WireType.Varint)
      .int64(step);
    events.write(frame(writeWhat(event).finish()));
  };

  write((event) => event.tag(3, WireType.LengthDelimited).string('brain.Event:2'));
  if (resumedAt !== undefined) write((event) => message(event, 7).tag(1, WireType.Varint).int32(1).join(), resumedAt); // SessionLog START
  return {
    file,
    scalar: (tag, value, step) =>
      write((event) => {
        const summaryValue = message(message(event, 5), 1).tag(1, WireType.LengthDelimited).string(tag);
        return summaryValue.tag(2, WireType.Bit32).float(value).join().join();
      }, step),
    close: () => events.close(),
  };
}

/** Number of files opened so far: two files of one process and second need different names. */
let opened = 0;

/** Starts a nested message; the caller joins it. */
const message = (writer: BinaryWriter, field: number) => writer.tag(field, WireType.LengthDelimited).fork();

/** Frames the bytes as one TFRecord: length (uint64), its masked CRC, the bytes, their masked CRC; little-endian. */
function frame(bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(bytes.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(bytes.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(bytes, 12);
  view.setUint32(12 + bytes.length, maskedCrc32c(bytes), true);
  return record;
}

/** Castagnoli's polynomial, bits reversed (RFC 3720, appendix B.4). */
const castagnoli = 0x82f63b78;
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ castagnoli : crc >>> 1;
  return crc;
});

/** CRC-32C, rotated by 15 bits, plus a constant: a plain CRC over data that contains CRCs is weak
 *  (tensorflow/core/lib/hash/crc32c.h). */
export function maskedCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
