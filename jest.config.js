process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // inside jest process.env is a copy, which TensorFlow does not see

/** Sources are compiled by swc on the fly; `.js` in an import means the `.ts` beside it. */
export default {
  testEnvironment: './test/environment.js',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1', '^pycocotools-js$': '<rootDir>/src/pycocotools/index.ts' },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/src/pycocotools/dist'],
  maxWorkers: 2,
  testTimeout: 60_000,
};
