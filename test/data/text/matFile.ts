import { deflateSync } from 'node:zlib';

/** A tagged element, padded to 8 bytes. */
function element(type: number, data: Uint8Array, padded = true): Uint8Array {
  const bytes = new Uint8Array(8 + (padded ? Math.ceil(data.length / 8) * 8 : data.length));
  new DataView(bytes.buffer).setUint32(0, type, true);
  new DataView(bytes.buffer).setUint32(4, data.length, true);
  bytes.set(data, 8);
  return bytes;
}
const join8 = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const bytesOf = (array: Float64Array | Int32Array | Uint32Array | Uint16Array): Uint8Array =>
  new Uint8Array(array.buffer);
/** An array of a class, with its name and contents. */
const matrix = (kind: number, shape: number[], name: string, ...contents: Uint8Array[]): Uint8Array => {
  const label = Buffer.from(name);
  return element(
    14,
    join8(element(6, bytesOf(Uint32Array.of(kind, 0))), element(5, bytesOf(Int32Array.from(shape))), element(1, label), ...contents),
  ); // prettier-ignore
};
const text = (...rows: string[]): Uint8Array => {
  const width = rows[0]!.length;
  const codes = Uint16Array.from({ length: rows.length * width }, (_, i) =>
    rows[i % rows.length]!.charCodeAt(Math.floor(i / rows.length)),
  );
  return matrix(4, [rows.length, width], '', element(4, bytesOf(codes)));
};
const cells = (name: string, ...values: Uint8Array[]): Uint8Array => matrix(1, [1, values.length], name, ...values);

/** Quads of words or characters. */
export const quads = (...corners: number[][]): Uint8Array =>
  matrix(6, [2, 4, corners.length], '', element(9, bytesOf(Float64Array.from(corners.flat()))));
/** A quad that is a rectangle. */
export const box = (x: number, width: number): number[] => [x, 5, x + width, 5, x + width, 15, x, 15];

const CHARACTERS = quads(box(2, 10), box(12, 10), box(30, 10));

/** gt.mat of SynthText: every image has the words "ab" and "c"; the second variable is compressed. */
export function matFile(images: readonly string[], characters = CHARACTERS): Uint8Array {
  const header = new Uint8Array(128).fill(32);
  header.set(Buffer.from('MATLAB 5.0 MAT-file'));
  header.set([0, 1, 0x49, 0x4d], 124);
  return join8(
    header,
    cells('imnames', ...images.map((image) => text(image))),
    element(15, deflateSync(cells('wordBB', ...images.map(() => quads(box(2, 20), box(30, 10))))), false),
    cells('charBB', ...images.map(() => characters)),
    cells('txt', ...images.map(() => text(' ab', 'c  '))),
  );
}
