import type { Dataset, Group } from 'jsfive';
import type { ByteSource } from '../../bytes/byteSource.js';
import { FinetuneError } from '../../errors.js';
import { alignedBuffer, countValues, formatShape, type RawData, type RawTensor } from './rawTensor.js';

/** One array of an HDF5 file. */
export interface Hdf5Array {
  /** Names of the groups that lead to the array, then its own name. */
  readonly path: readonly string[];
  /** The `name` attribute of its group, which Keras 3 writes. */
  readonly groupName: string | undefined;
  readonly tensor: RawTensor;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
/** Deepest nesting of groups that is read; Keras needs five levels. In a broken file groups may hold each other without
 *  end. */
const MAX_DEPTH = 64;
const MAX_OBJECTS = 100_000;
/** Best compression ratio of gzip. An array that claims to be larger than that allows is broken. */
const MAX_RATIO = 1032;

/** Reads all numeric arrays of an HDF5 file below the group that `chooseRoot` returns; arrays of other types are left
 *  out. Throws E_HDF5_FORMAT. */
export async function readHdf5(source: ByteSource, chooseRoot: (names: readonly string[]) => string | undefined) {
  const { file } = source;
  const bytes = await source.read(0, source.size);
  const fail = (message: string, cause?: unknown) => {
    const fix = 'the file may be cut short: fetch it again';
    return new FinetuneError({ code: 'E_HDF5_FORMAT', message, fix, where: { file } }, { cause });
  };
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte))
    throw fail('not an HDF5 file: it does not begin with the signature of one');
  const jsfive = await import('jsfive'); // loaded when it is needed: few runs read HDF5
  const end = endOfFile(bytes);
  if (end > bytes.byteLength) throw fail(`the HDF5 file should have ${end} bytes, but has ${bytes.byteLength}`);
  const arrays: Hdf5Array[] = [];
  let objects = 0;
  const visit = (group: Group, path: readonly string[]): void => {
    if (path.length > MAX_DEPTH) throw new Error(`its groups are nested deeper than ${MAX_DEPTH} levels`);
    const name = path.length > 0 ? group.attrs['name'] : undefined;
    for (const key of group.keys) {
      if (++objects > MAX_OBJECTS) throw new Error(`it has more than ${MAX_OBJECTS} groups and arrays`);
      const child = group.get(key);
      if (child instanceof jsfive.Dataset) {
        const tensor = decode(child, bytes.byteLength, [...path, key].join('/'));
        const groupName = typeof name === 'string' ? name : undefined;
        if (tensor) arrays.push({ path: [...path, key], groupName, tensor });
      } else if (child instanceof jsfive.Group) visit(child, [...path, key]);
    }
  };
  try {
    const top = new jsfive.File(wholeBuffer(bytes), file);
    const root = chooseRoot(top.keys);
    visit(root === undefined ? top : (top.get(root) as Group), []);
  } catch (error) {
    throw fail(`the HDF5 file is broken: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  return arrays;
}

/** Returns the buffer behind the bytes, or a copy of them if the buffer holds more: jsfive wants the file and nothing
 *  else. */
function wholeBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? buffer : alignedBuffer(bytes);
}

/** Returns where the file ends according to its superblock; Infinity if the superblock itself is cut short.
 *  https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, II.A: version 0 and 1, 2 and 3. */
function endOfFile(bytes: Uint8Array): number {
  const version = bytes[8] ?? 0;
  const at = version >= 2 ? 28 : version === 1 ? 44 : 40;
  if (at + 8 > bytes.byteLength) return Infinity;
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true));
}

/** Reads an array of numbers; returns undefined for text and the like. jsfive names types as NumPy does. */
function decode(dataset: Dataset, fileBytes: number, name: string): RawTensor | undefined {
  const { shape, dtype } = dataset;
  const type = typeof dtype === 'string' ? /^[<>|=]?([fiu])([1248])$/.exec(dtype) : null;
  if (!type) return undefined;
  const [, kind, width] = type;
  const count = countValues(shape);
  if (count * Number(width) > fileBytes * MAX_RATIO)
    throw new Error(`"${name}" claims the shape ${formatShape(shape)}, for which the file is too small`);
  const values = dataset.value;
  if (values.length !== count)
    throw new Error(`"${name}" has ${values.length} values, but the shape ${formatShape(shape)}`);
  const word = kind === 'f' ? 'float' : kind === 'i' ? 'int' : 'uint';
  return { shape: [...shape], dtype: `${word}${Number(width) * 8}`, data: toData(kind, width, values) };
}

function toData(kind: string | undefined, width: string | undefined, values: ArrayLike<number | bigint>): RawData {
  if (kind === 'f') return Float32Array.from(values as ArrayLike<number>);
  if (width === '8') return BigInt64Array.from(Array.from(values, BigInt));
  if (kind === 'u' && width === '1') return Uint8Array.from(values as ArrayLike<number>);
  return Int32Array.from(values as ArrayLike<number>);
}
