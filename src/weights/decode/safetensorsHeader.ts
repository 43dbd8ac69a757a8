import { FinetuneError, type Problem, quoted } from '../../errors.js';
import { countValues, formatShape } from './rawTensor.js';

/** Bytes per value of every type the format knows (safetensors 0.5); only some of them can be decoded. */
const BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;
export type SafetensorsDType = keyof typeof BYTES;

interface SafetensorsEntry {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** Bytes from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the data. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /** Where the data starts in the file. */
  readonly dataStart: number;
}

/** The reference implementation's limit: a longer header is a broken or hostile file. */
const MAX_HEADER_BYTES = 100_000_000;

const TRUNCATED = 'E_SAFETENSORS_TRUNCATED';
const COPY_AGAIN = 'the file is cut short: copy or download it again; a run keeps others in its folder checkpoints/';

/** Reads the length of the JSON header from the first 8 bytes. Throws E_SAFETENSORS_TRUNCATED, E_SAFETENSORS_HEADER. */
export function headerLength(first: Uint8Array, fileBytes: number, file: string): number {
  const fail = (code: Problem['code'], message: string) =>
    new FinetuneError({ code, message, where: { file }, ...(code === TRUNCATED && { fix: COPY_AGAIN }) });
  if (first.byteLength < 8)
    throw fail(TRUNCATED, `the file has ${fileBytes} bytes, but the length of the header takes 8`);
  const length = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw fail('E_SAFETENSORS_HEADER', `header of ${String(length)} bytes: not a safetensors file, or a broken one`);
  }
  if (8 + Number(length) > fileBytes) {
    const message = `the header should end at byte ${8 + Number(length)}, but the file ends at byte ${fileBytes}`;
    throw fail(TRUNCATED, message);
  }
  return Number(length);
}

/** Reads and checks the JSON header: every type known, sizes equal to shapes, data without overlap, hole or rest.
 *  Throws E_SAFETENSORS_{HEADER,METADATA,ENTRY,DTYPE,SIZE,OFFSETS,TRUNCATED}, all entries' problems at once. */
export function parseHeader(json: Uint8Array, fileBytes: number, file: string): SafetensorsHeader {
  const dataStart = 8 + json.byteLength;
  const problems: Problem[] = [];
  const report = (code: Problem['code'], message: string, fix?: string) =>
    problems.push({ code, message, where: { file }, ...(fix !== undefined && { fix }) });
  const entries: [string, SafetensorsEntry][] = [];
  let metadata: Record<string, string> = {};

  for (const [name, value] of Object.entries(parseJson(json, file))) {
    if (name === '__metadata__') {
      if (isStringRecord(value)) metadata = value;
      else report('E_SAFETENSORS_METADATA', '__metadata__ must map strings to strings');
      continue;
    }
    const checked = checkEntry(value);
    if ('code' in checked) report(checked.code, `tensor "${name}": ${checked.message}`);
    else entries.push([name, checked]);
  }

  entries.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  if (problems.length === 0) {
    let end = 0;
    for (const [name, entry] of entries) {
      if (entry.begin !== end) {
        const fault = entry.begin < end ? 'overlaps the tensor before it' : 'leaves a hole before it';
        report('E_SAFETENSORS_OFFSETS', `tensor "${name}" at byte ${entry.begin} ${fault} (expected ${end})`);
      }
      end = Math.max(end, entry.end);
    }
    const present = fileBytes - dataStart;
    if (end > present)
      report(TRUNCATED, `the header announces ${end} bytes of data, the file has ${present}`, COPY_AGAIN);
    if (end < present) report('E_SAFETENSORS_OFFSETS', `${present - end} bytes at the end belong to no tensor`);
  }
  if (problems.length > 0) throw new FinetuneError(problems);
  return { metadata, tensors: new Map(entries), dataStart };
}

function parseJson(json: Uint8Array, file: string): object {
  try {
    if (json[0] !== 0x7b) throw new Error('it does not start with "{"');
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json)) as object;
  } catch (error) {
    const message = `the header is not JSON: ${(error as Error).message}`;
    throw new FinetuneError({ code: 'E_SAFETENSORS_HEADER', message, where: { file } }, { cause: error });
  }
}

function checkEntry(value: unknown): SafetensorsEntry | { code: Problem['code']; message: string } {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype !== 'string' || !(dtype in BYTES)) {
    return { code: 'E_SAFETENSORS_DTYPE', message: `unknown dtype ${quoted(dtype)}` };
  }
  if (!isSizes(shape)) {
    return { code: 'E_SAFETENSORS_ENTRY', message: `shape ${quoted(shape)} is not a list of sizes` };
  }
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    return { code: 'E_SAFETENSORS_ENTRY', message: `data_offsets ${quoted(offsets)} is not [begin, end]` };
  }
  const [begin, end] = offsets as [number, number];
  const bytes = countValues(shape) * BYTES[dtype as SafetensorsDType];
  if (bytes !== end - begin) {
    const message = `${dtype} ${formatShape(shape)} takes ${bytes} bytes, its offsets span ${end - begin}`;
    return { code: 'E_SAFETENSORS_SIZE', message };
  }
  return { dtype: dtype as SafetensorsDType, shape, begin, end };
}

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);

const isStringRecord = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' && value !== null && Object.values(value).every((entry) => typeof entry === 'string');
