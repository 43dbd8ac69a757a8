import { createTransformer } from '@swc/jest';

/** The globals that arithmetic uses. None of them is replaced by a test. */
const GLOBALS = [
  'Math Number BigInt String Boolean Symbol Object Array Map Set WeakMap JSON Promise Error Infinity NaN',
  'ArrayBuffer DataView Uint8Array Uint8ClampedArray Int8Array Uint16Array Int16Array Uint32Array Int32Array',
  'Float32Array Float64Array BigInt64Array BigUint64Array',
]
  .join(' ')
  .split(' ');

/** Compiles the sources with swc, and gives each module its own constants for the globals that it uses.
 *
 *  Jest runs tests in a context whose global object is a proxy: each mention of `Math` or `Float32Array` calls several
 *  functions of the proxy, which took most of the time of loops over pixels. The constants are on the first line, so that
 *  the lines keep their numbers. */
export default {
  createTransformer(options) {
    const swc = createTransformer(options);
    const withConstants = (result) => {
      const declared = (name) => new RegExp(`\\b(class|function|const|let|var|as)\\s+${name}\\b|\\bimport ${name}\\b`);
      const used = GLOBALS.filter(
        (name) => new RegExp(`\\b${name}\\b`).test(result.code) && !declared(name).test(result.code),
      );
      return { ...result, code: `const { ${used.join(', ')} } = globalThis; ${result.code}` };
    };
    return {
      ...swc,
      process: (...args) => withConstants(swc.process(...args)),
      processAsync: async (...args) => withConstants(await swc.processAsync(...args)),
      getCacheKey: (text, ...more) => swc.getCacheKey(GLOBALS.join() + text, ...more),
    };
  },
};
