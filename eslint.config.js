import tseslint from 'typescript-eslint';

/** Functions of node:fs that write. */
const WRITING = ['appendFile', 'copyFile', 'link', 'mkdir', 'mkdtemp', 'rename', 'rm', 'symlink', 'unlink', 'writeFile']
  .flatMap((name) => [name, `${name}Sync`])
  .concat('createWriteStream', 'openSync', 'writeSync');

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', 'runs/**', 'test/fixtures/**', 'examples/**/*.ts'] }, // the examples are compiled where they are built
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './test/tsconfig.json', './src/demo/page/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-non-null-assertion': 'off', // noUncheckedIndexedAccess is on: `!` says that the index is within bounds
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'max-lines': ['error', { max: 350, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // Only cli/ prints and ends the process. Which folder may import which: .dependency-cruiser.js.
    files: ['src/**'],
    ignores: ['src/cli/**'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        ...['exit', 'exitCode', 'stdout', 'stderr'].map((property) => ({ object: 'process', property })),
      ],
    },
  },
  {
    // A disk that is full, or a folder that may not be written, is the same error wherever it shows. The set-up of the
    // engine puts such errors into its record, and weights/sources/source.ts sees to those of all sources, which use fetch/.
    files: ['src/**'],
    ignores: [
      ...['src/files/**', 'src/fetch/**', 'src/engine/install/**', 'src/weights/sources/**'],
      'src/train/costs/peakMemory.ts',
    ],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: ['node:fs', 'node:fs/promises'].map((name) => ({
            name,
            importNames: WRITING,
            message: 'write through src/files, whose errors name the path and the fix',
          })),
        },
      ],
    },
  },
  {
    files: ['test/**'],
    ignores: ['test/fastCheck.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'fast-check', message: 'import test/fastCheck.ts, which sets the seed' }] },
      ],
    },
  },
  {
    // These run in a browser. .dependency-cruiser.js forbids them to import modules of Node; this forbids its globals.
    files: [
      'src/{bytes,categories,demo,draw,geometry,graph,models,personalise,tasks,tensorflow}/**',
      'src/weights/decode/**',
      'src/data/sample.ts',
    ],
    rules: {
      'no-restricted-globals': ['error', 'Buffer', 'process', 'global', 'require', '__dirname', 'setImmediate'],
    },
  },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
);
