process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // set here, since tests change a copy of process.env, which TensorFlow does not read

/** swc compiles the sources when a test imports them. An import of `./x.js` means `./x.ts`. */
export default {
  testSequencer: './test/sequencer.js',
  testEnvironment: './test/environment.js',
  setupFilesAfterEnv: ['./test/equalBytes.js'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '<rootDir>/test/transform.js',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  maxWorkers: 2,
  testTimeout: 300_000,
};
