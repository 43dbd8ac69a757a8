import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Instruction sets by which oneDNN chooses its kernels, with their names in /proc/cpuinfo (Linux) and `sysctl` (macOS). */
const FEATURES = {
  AVX2: ['avx2'],
  'AVX-512': ['avx512f'],
  'AVX-VNNI': ['avx_vnni'],
  'AVX-512 VNNI': ['avx512_vnni', 'avx512vnni'],
  'AVX-512 BF16': ['avx512_bf16'],
  AMX: ['amx_tile'],
  NEON: ['asimd', 'hw.optional.arm.advsimd'],
  SVE: ['sve'],
  BF16: ['bf16', 'hw.optional.arm.feat_bf16'],
} as const;

/** The `FEATURES` that a text of CPU flags names. */
export function featuresIn(flags: string): string[] {
  const words = new Set(flags.toLowerCase().split(/[\s:]+/));
  const present = Object.entries(FEATURES).filter(([, names]) => names.some((name) => words.has(name)));
  return present.map(([feature]) => feature);
}

/** The `FEATURES` of this machine's CPU; none on systems other than Linux and macOS. */
export function cpuFeatures(): string[] {
  if (process.platform === 'linux') return featuresIn(readFileSync('/proc/cpuinfo', 'utf8'));
  if (process.platform !== 'darwin') return [];
  const flags = execFileSync('sysctl', ['-a'], { encoding: 'utf8', timeout: 5_000, maxBuffer: 16 << 20 });
  const isPresent = /^(?:machdep\.cpu\.(?:leaf7_)?features: .*|hw\.optional\.[\w.]+: 1)$/gim;
  return featuresIn((flags.match(isPresent) ?? []).join(' '));
}

/** Whether oneDNN uses its kernels for AVX2, because the CPU has nothing newer. */
export function hasAvx2Alone(): boolean {
  const features = cpuFeatures();
  return features.includes('AVX2') && !features.includes('AVX-512');
}
