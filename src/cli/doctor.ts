import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { openBackend, type Backend, type Obstacle } from '../engine/backend.js';
import { compile } from '../engine/compile.js';
import type { EngineName } from '../engine/names.js';
import { cpuFeatures } from '../engine/cpu.js';
import { findOnnxRuntime } from '../engine/install/onnxRuntime.js';
import { readEngineRecord } from '../engine/install/record.js';
import { SETUP } from '../engine/install/setupCommand.js';
import { loadOnnxRuntime } from '../engine/onnxRuntime/runtime.js';
import { FinetuneError, type Problem } from '../errors.js';
import * as b from '../graph/builder.js';
import { sizeOf } from '../graph/shapes.js';
import type { ParamKind, Shape } from '../graph/spec.js';

/** The engine and the machine, as far as they decide how fast training is. `--json` prints it. */
export interface DoctorReport {
  readonly engine: EngineName;
  /** Version of TensorFlow's C library, or of the wasm package. */
  readonly version: string;
  readonly compiled: boolean;
  readonly reason: string;
  readonly threads: number;
  /** The better engines, each with why it is not in use. */
  readonly betterEngines: readonly Obstacle[];
  /** ONNX Runtime, which computes what needs no gradient. */
  readonly onnxRuntime: OnnxRuntimeReport;
  readonly cpu: { readonly model: string; readonly cores: number; readonly features: readonly string[] };
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number };
  readonly node: string;
  readonly platform: string;
  /** Measured with a 3×3 convolution of 256 channels in and out on 40×40 pixels; a multiply-add counts as two
   *  operations. */
  readonly gflops: number;
}

/** Its version, and why its C API is not used (`obstacle`); or why it cannot be used. */
type OnnxRuntimeReport =
  | { readonly version: string; readonly obstacle: string | null }
  | { readonly version: null; readonly why: string; readonly fix: string };

export interface DoctorCommand {
  readonly json?: boolean;
  readonly engine?: EngineName | 'auto';
}

const CONV = { side: 40, channels: 256, kernel: 3 } as const;
const SAME = [[1, 1], [1, 1]] as const; // prettier-ignore
const MEASURE = 1; // seconds

/** Opens the engine that training would use, measures it and describes the machine. Throws E_ENGINE_UNAVAILABLE if
 *  `engine` is not available. */
async function examine(engine: EngineName | 'auto' = 'auto'): Promise<DoctorReport> {
  const backend = await openBackend({ engine });
  const { name, version, compiled, reason, threads, obstacles } = backend;
  return {
    engine: name,
    version,
    compiled,
    reason,
    threads,
    betterEngines: obstacles,
    onnxRuntime: await examineOnnxRuntime(),
    cpu: { model: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism(), features: cpuFeatures() },
    memory: { totalBytes: totalMemory(), availableBytes: availableMemory() },
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    gflops: await measureGflops(backend),
  };
}

/** `finetune doctor`: the report, as text on stderr or as JSON on stdout. */
export async function doctor({ json = false, engine = 'auto' }: DoctorCommand = {}): Promise<DoctorReport> {
  const report = await examine(engine);
  if (json) console.log(JSON.stringify(report, null, 2));
  else console.error(formatReport(report));
  return report;
}

/** The report as aligned lines. For each engine that is better than the one in use they say why it is not used, and
 *  the remedy. */
export function formatReport(report: DoctorReport): string {
  const { cpu, memory, threads } = report;
  const better = report.betterEngines.map(({ engine, why, fix }) => [
    '',
    `not ${engine}: ${why}\n${' '.repeat(14)}→ ${fix}`,
  ]);
  const source = readEngineRecord()?.source;
  const about = report.compiled
    ? `${report.reason}${source ? `, source: ${source}` : ''}`
    : 'training is about 10x slower than compiled';
  const rows = [
    ['engine', `${report.engine} ${report.version}, ${about}`],
    ...better,
    ['onnx', describeOnnxRuntime(report.onnxRuntime)],
    [
      'speed',
      `${report.gflops.toFixed(report.gflops < 10 ? 1 : 0)} GFLOP/s (3×3 convolution, 256 channels), ${threads} thread${threads > 1 ? 's' : ''}`,
    ],
    ['cpu', `${cpu.model}, ${cpu.cores} cores, ${cpu.features.join(', ') || 'no vector extension known'}`],
    ['memory', `${gigabytes(memory.totalBytes)} GB, ${gigabytes(memory.availableBytes)} GB available`],
    ['node', `${report.node} on ${report.platform}`],
  ];
  return rows.map(([name = '', text = '']) => `${name.padEnd(12)}${text}`).join('\n');
}

async function examineOnnxRuntime(): Promise<OnnxRuntimeReport> {
  try {
    const { version, obstacle = null } = await loadOnnxRuntime();
    return { version, obstacle };
  } catch (error) {
    if (!(error instanceof FinetuneError)) throw error;
    const failure = readEngineRecord()?.failed.find(({ source }) => source === 'onnxruntime');
    const [{ message, fix = '' }] = error.problems as [Problem];
    return findOnnxRuntime() === undefined && failure
      ? { version: null, why: `${message}: ${failure.why}`, fix: `${failure.fix}; then ${SETUP}` }
      : { version: null, why: message, fix };
  }
}

function describeOnnxRuntime(report: OnnxRuntimeReport): string {
  if (report.version === null) return `${report.why}\n${' '.repeat(14)}→ ${report.fix}`;
  const how =
    report.obstacle === null
      ? ''
      : `, by its JavaScript, which is slower for many images: its C API cannot be called (${report.obstacle})`;
  return `ONNX Runtime ${report.version}${how}`;
}

/** Memory in bytes: the limit of the container if there is one, since `totalmem` returns the memory of the host. */
function totalMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

function availableMemory(): number {
  const file = '/proc/meminfo';
  const kilobytes = existsSync(file) ? /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  return Math.min(totalMemory(), kilobytes ? Number(kilobytes) * 1024 : freemem());
}

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);

/** Repeats a convolution for a second and takes the fastest: during the others, the machine may have been busy with
 *  something else. */
async function measureGflops(backend: Backend): Promise<number> {
  const { side, channels, kernel } = CONV;
  const batch = backend.compiled ? 8 : 1;
  const graph = b.createGraph();
  const shapes: Readonly<Record<string, Shape>> = {
    image: [batch, side, side, channels],
    filter: [kernel, kernel, channels, channels],
  };
  const param = (name: string, kind: ParamKind) =>
    b.param(graph, { name, shape: shapes[name]!, role: 'weight', kind, init: { type: 'constant', value: 0.5 } });
  const y = b.conv(param('image', 'vector'), param('filter', 'conv'), { stride: 1, padding: SAME, dilation: 1 });
  const session = await compile({ run: { outputs: { largest: b.max(y) } } }, backend);
  await session.write(
    new Map(
      Object.entries(shapes).map(([name, shape]) => [name, { shape, data: new Float32Array(sizeOf(shape)).fill(0.5) }]),
    ),
  );
  const operations = 2 * batch * side ** 2 * channels ** 2 * kernel ** 2;
  let best = 0;
  const end = performance.now() + MEASURE * 1000;
  for (let round = 0; round < 3 || performance.now() < end; round++) {
    const start = performance.now();
    await session.run('run', {});
    best = Math.max(best, operations / (performance.now() - start) / 1e6);
  }
  session.dispose();
  return best;
}
