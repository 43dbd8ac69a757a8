import { inflateSync } from 'node:zlib';
import { FinetuneError } from '../../../errors.js';

/** A value of a MATLAB file: numbers in column-major order, text with one string for each row, or cells of such values. */
export type MatValue =
  | { readonly kind: 'numbers'; readonly shape: readonly number[]; readonly data: Float64Array }
  | { readonly kind: 'text'; readonly rows: readonly string[] }
  | { readonly kind: 'cells'; readonly cells: readonly MatValue[] };

/** Types of data elements, and classes of arrays ("MAT-File Format", MathWorks, version 5, tables 1-1 and 1-3). */
const MATRIX = 14;
const COMPRESSED = 15;
const CELL = 1;
const CHAR = 4;
const FIRST_NUMERIC = 6;
const HEADER = 128;

/** Readers of numeric data elements by their type, with the element's size in bytes. */
const numeric: Readonly<
  Record<number, { readonly size: number; readonly read: (view: DataView, at: number) => number }>
> = {
  1: { size: 1, read: (view, at) => view.getInt8(at) },
  2: { size: 1, read: (view, at) => view.getUint8(at) },
  3: { size: 2, read: (view, at) => view.getInt16(at, true) },
  4: { size: 2, read: (view, at) => view.getUint16(at, true) },
  5: { size: 4, read: (view, at) => view.getInt32(at, true) },
  6: { size: 4, read: (view, at) => view.getUint32(at, true) },
  7: { size: 4, read: (view, at) => view.getFloat32(at, true) },
  9: { size: 8, read: (view, at) => view.getFloat64(at, true) },
  16: { size: 1, read: (view, at) => view.getUint8(at) },
  17: { size: 2, read: (view, at) => view.getUint16(at, true) },
};

/** Read the variables of a MATLAB 5 file: numbers, text and cells; others (structures, sparse matrices) are left out.
 *  Throws E_MAT if the file is of another format, or truncated. */
export function readMat(bytes: Uint8Array, file: string): Map<string, MatValue> {
  const fail = (message: string): never => {
    throw new FinetuneError({
      code: 'E_MAT',
      message,
      where: { file },
      fix: 'save it in MATLAB with -v7, or an older version',
    });
  };
  if (bytes.length < HEADER || new TextDecoder().decode(bytes.subarray(0, 10)) !== 'MATLAB 5.0')
    fail('not a MATLAB 5 file');
  if (bytes[126] !== 0x49 || bytes[127] !== 0x4d) fail('big-endian files are not supported');
  const variables = new Map<string, MatValue>();
  try {
    for (const element of elements(bytes.subarray(HEADER))) {
      const [matrix] = element.type === COMPRESSED ? elements(inflateSync(element.data)) : [element];
      if (matrix?.type !== MATRIX) continue;
      const { name, value } = readMatrix(matrix.data);
      if (value) variables.set(name, value);
    }
  } catch (error) {
    fail(`cannot be read: ${String(error)}`);
  }
  return variables;
}

interface Element {
  readonly type: number;
  readonly data: Uint8Array;
}

/** Splits bytes into tagged elements. Each is padded to 8 bytes; up to four bytes of data may stand in the tag itself. */
function elements(bytes: Uint8Array): Element[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Element[] = [];
  let at = 0;
  while (at + 8 <= bytes.length) {
    const tag = view.getUint32(at, true);
    const small = tag >>> 16;
    if (small > 0) {
      found.push({ type: tag & 0xffff, data: bytes.subarray(at + 4, at + 4 + small) });
      at += 8;
      continue;
    }
    const length = view.getUint32(at + 4, true);
    if (at + 8 + length > bytes.length) throw new RangeError('it is truncated');
    found.push({ type: tag, data: bytes.subarray(at + 8, at + 8 + length) });
    at += 8 + (tag === COMPRESSED ? length : Math.ceil(length / 8) * 8);
  }
  return found;
}

function readMatrix(bytes: Uint8Array): { readonly name: string; readonly value: MatValue | undefined } {
  const [flags, dimensions, label, ...rest] = elements(bytes);
  if (!flags || !dimensions || !label)
    return { name: '', value: { kind: 'numbers', shape: [0, 0], data: new Float64Array() } };
  const name = new TextDecoder('latin1').decode(label.data);
  const kind = numbersOf(flags)[0]! & 0xff;
  const shape = [...numbersOf(dimensions)];
  if (kind === CELL) {
    const cells = rest.map(({ data }) => readMatrix(data).value ?? ({ kind: 'cells', cells: [] } as const));
    return { name, value: { kind: 'cells', cells } };
  }
  const data = rest[0] ? numbersOf(rest[0]) : new Float64Array();
  if (kind === CHAR) {
    const [rows = 0, columns = 0] = shape;
    if (rows * columns > data.length)
      throw new RangeError(`a text of ${rows} × ${columns} characters has ${data.length}`);
    const row = (i: number) =>
      Array.from({ length: columns }, (_, j) => String.fromCharCode(data[j * rows + i] ?? 32)).join('');
    return { name, value: { kind: 'text', rows: Array.from({ length: rows }, (_, i) => row(i)) } };
  }
  return { name, value: kind >= FIRST_NUMERIC ? { kind: 'numbers', shape, data } : undefined };
}

function numbersOf({ type, data }: Element): Float64Array {
  const reader = numeric[type];
  if (!reader) throw new RangeError(`data of type ${type} is not supported`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Float64Array.from({ length: data.byteLength / reader.size }, (_, i) => reader.read(view, i * reader.size));
}
