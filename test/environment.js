import { TestEnvironment } from 'jest-environment-node';

/** Jest's node environment runs tests in a realm of its own, where buffers made by native code fail
 *  `instanceof Float32Array`. Sharing the outer realm's typed arrays makes both sides agree. */
// The same as in src/engine/backend.ts: what a test sets in its copy of process.env does not reach TensorFlow.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
process.env.TF_DETERMINISTIC_OPS ??= '1';
// Two test files run at a time on two cores: with two threads each, TensorFlow spent a fifth of its time on waiting for them.
// The slow tests, and the processes that test/train/kill starts, have all threads, whose races they would meet.
if (process.env.FINETUNE_SLOW !== '1') process.env.TF_NUM_INTRAOP_THREADS ??= '1';

// Which engine predicts is measured on each machine; the results of tests must not depend on it.
process.env.FINETUNE_INFERENCE_ENGINE ??= 'tensorflow';

export default class NativeBufferEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of [
      'ArrayBuffer',
      'SharedArrayBuffer',
      'DataView',
      'Uint8Array',
      'Uint8ClampedArray',
      'Int8Array',
      'Uint16Array',
      'Int16Array',
      'Uint32Array',
      'Int32Array',
      'Float32Array',
      'Float64Array',
      'BigInt64Array',
      'BigUint64Array',
    ]) {
      this.global[name] = globalThis[name];
    }
  }
}
