import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory, LIBRARY_SOURCES, machineOf, type LibrarySource, type Machine } from './wheels.js';

/** What the last set-up did. Its file lies in the cache, beside the library. */
export interface EngineRecord {
  readonly engine: 'tensorflow' | 'wasm';
  readonly source?: LibrarySource;
  /** Path of TensorFlow's C library, and its version. */
  readonly library?: string;
  readonly libtensorflow?: string;
  /** Libraries on the disk that cannot be loaded here. */
  readonly unusable: readonly string[];
  /** The sources that failed, with the reasons and how to fix them. */
  readonly failed: readonly {
    readonly source: LibrarySource | 'onnxruntime';
    readonly why: string;
    readonly fix: string;
  }[];
  /** The processor: another machine may share the cache. */
  readonly processor: string;
  readonly at: string; // ISO 8601
}

export const processor = (): string => cpus()[0]?.model.trim() ?? 'unknown';

/** Reads the record of the last set-up on this machine, if there was one; a damaged one counts as none. */
export function readEngineRecord(machine: Machine = machineOf()): EngineRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(recordFile(machine), 'utf8')) as Partial<EngineRecord> | null;
    return isSound(record) && record.processor === processor() ? record : undefined;
  } catch {
    return undefined;
  }
}

function isSound(record: Partial<EngineRecord> | null): record is EngineRecord {
  const { engine = '', source, at = '', failed, unusable } = record ?? {};
  const isFailure = (one: Partial<EngineRecord['failed'][number]> | null): boolean =>
    typeof one?.why === 'string' && typeof one.fix === 'string';
  return (
    ['tensorflow', 'wasm'].includes(engine) &&
    (source === undefined || LIBRARY_SOURCES.includes(source)) &&
    !Number.isNaN(Date.parse(at)) &&
    Array.isArray(unusable) &&
    unusable.every((path) => typeof path === 'string') &&
    Array.isArray(failed) &&
    failed.every(isFailure)
  );
}

export function writeEngineRecord(machine: Machine, record: EngineRecord): EngineRecord {
  try {
    mkdirSync(cacheDirectory(machine.env), { recursive: true });
    writeFileSync(recordFile(machine), `${JSON.stringify(record, null, 2)}\n`);
  } catch {
    // The user may not write to this cache. Without a record, the next set-up starts anew.
  }
  return record;
}

const recordFile = ({ env, platform, arch }: Machine): string =>
  join(cacheDirectory(env), `engine-${platform}-${arch}.json`);
