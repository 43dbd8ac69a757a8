import { TestEnvironment } from 'jest-environment-node';

/** Jest's node environment runs tests in a realm of its own, where buffers made by native code fail
 *  `instanceof Float32Array`. Sharing the outer realm's typed arrays makes both sides agree. */
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
