/** Each worker is one Node process that runs many test files (jest-light-runner), without a realm of its own for each
 *  file: the sources are compiled and loaded once for a worker, TensorFlow's library too. The whole suite takes two thirds
 *  of the time that Jest's own runner takes. Files therefore share what a module remembers. */
export default {
  runner: ['jest-light-runner', { runtime: 'child_process' }],
  testSequencer: './test/runner/sequencer.js',
  setupFiles: ['./test/runner/setup.js'],
  setupFilesAfterEnv: ['./test/runner/equalBytes.js'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {},
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  maxWorkers: 2,
};
