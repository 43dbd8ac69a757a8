import { homedir } from 'node:os';
import { join } from 'node:path';

/** Version of TensorFlow whose C library is taken from the pip wheel. */
export const WHEEL_VERSION = '2.21.0';

/** A wheel of PyPI that holds TensorFlow's C library, and the two files in its folder `tensorflow/` that are the library. */
export interface Wheel {
  readonly project: string;
  readonly file: string;
  readonly bytes: number;
  /** Bytes of the two files when they are unpacked. */
  readonly unpacked: number;
  /** That of PyPI, whichever index or mirror the wheel comes from. */
  readonly sha256: string;
  readonly main: string;
  readonly framework: string;
}

const ON_LINUX = { main: 'libtensorflow_cc.so.2', framework: 'libtensorflow_framework.so.2' };

/** The wheel for each platform. The library does not link Python, so the wheel of any version of Python serves: all
 *  projects have one for Python 3.11. The wheels for Windows export no C functions, and macOS on x64 has none. */
export const WHEELS: Readonly<Record<string, Wheel>> = {
  'linux-x64': {
    project: 'tensorflow-cpu',
    file: 'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl',
    bytes: 273_829_956,
    unpacked: 853_308_936,
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    ...ON_LINUX,
  },
  'linux-arm64': {
    project: 'tensorflow', // tensorflow-cpu has no aarch64 wheel
    file: 'tensorflow-2.21.0-cp311-cp311-manylinux_2_27_aarch64.whl',
    bytes: 281_828_020,
    unpacked: 883_062_208,
    sha256: '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c',
    ...ON_LINUX,
  },
  'darwin-arm64': {
    project: 'tensorflow',
    file: 'tensorflow-2.21.0-cp311-cp311-macosx_12_0_arm64.whl',
    bytes: 223_405_849,
    unpacked: 740_805_624,
    sha256: '51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88',
    main: 'libtensorflow_cc.2.dylib',
    framework: 'libtensorflow_framework.2.dylib',
  },
};

/** Where a library can be found, best first. */
export const LIBRARY_SOURCES = ['gpu-wheel', 'tfjs-node-gpu', 'wheel', 'tfjs-node'] as const;
export type LibrarySource = (typeof LIBRARY_SOURCES)[number];
/** Those whose library computes on a GPU. */
export const GPU_SOURCES = ['gpu-wheel', 'tfjs-node-gpu'] as const satisfies readonly LibrarySource[];

/** The system that a library is for. Tests name another one than theirs. */
export interface Machine {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
}

/** The machine that this process runs on, where nothing else is given. */
export const machineOf = ({
  env = process.env,
  platform = process.platform,
  arch = process.arch,
}: { readonly [K in keyof Machine]?: Machine[K] | undefined } = {}): Machine => ({ env, platform, arch });

/** The wheel for a machine, if there is one. */
export const wheelFor = ({ platform, arch }: Machine): Wheel | undefined => WHEELS[`${platform}-${arch}`];

/** The cache that all projects of a user share: `$XDG_CACHE_HOME/tfjs-finetune`, else `~/.cache/tfjs-finetune`. */
export const cacheDirectory = (env: NodeJS.ProcessEnv): string =>
  join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tfjs-finetune');

/** Folder of the wheel's library in the cache. It is renamed into place, so if it exists, its `lib/` is complete. */
export const libraryDirectory = ({ env, platform, arch }: Machine): string =>
  join(cacheDirectory(env), `libtensorflow-${WHEEL_VERSION}-${platform}-${arch}`);

/** Folder in the cache into which a person installs TensorFlow's wheel for GPUs, with the packages of NVIDIA (gpu.ts). */
export const gpuDirectory = ({ env }: Machine): string => join(cacheDirectory(env), `gpu-${WHEEL_VERSION}`);
