import tseslint from 'typescript-eslint';

/** DESIGN: who may import whom. Each folder lists what it must not reach. */
const boundaries = [
  ['src/{random,errors,didYouMean}.ts', ['./*/*']],
  ['src/files/**', ['../*/*']],
  [
    'src/geometry/**',
    ['../graph/*', '../engine/*', '../models/*', '../tasks/*', '../data/*', '../train/*', '../report/*', '../cli/*'],
  ],
  [
    'src/graph/**',
    [
      '../engine/*',
      '../models/*',
      '../tasks/*',
      '../data/*',
      '../train/*',
      '../evaluate/*',
      '../report/*',
      '../recipe/*',
      '../cli/*',
    ],
  ],
  [
    'src/engine/**',
    ['../models/*', '../tasks/*', '../data/*', '../train/*', '../evaluate/*', '../report/*', '../recipe/*', '../cli/*'],
  ],
  [
    'src/models/**',
    ['../engine/*', '../data/*', '../train/*', '../evaluate/*', '../report/*', '../recipe/*', '../cli/*'],
  ],
  [
    'src/tasks/**',
    ['../engine/*', '../data/!(sample.js)', '../train/*', '../evaluate/*', '../report/*', '../recipe/*', '../cli/*'],
  ],
  [
    'src/data/**',
    ['../engine/*', '../models/*', '../train/*', '../evaluate/*', '../report/*', '../recipe/*', '../cli/*'],
  ],
  [
    'src/recipe/**',
    ['../engine/*', '../models/*', '../tasks/*', '../data/*', '../train/*', '../evaluate/*', '../report/*', '../cli/*'],
  ],
  ['src/{train,evaluate}/**', ['../report/*', '../cli/*']],
  ['src/report/**', ['../cli/*', '../engine/*']],
  ['src/pycocotools/**', ['../*']],
];
const tfjs = { group: ['@tensorflow/*'], message: 'only engine/ imports tfjs' };

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', 'runs/**', 'test/fixtures/**'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './src/pycocotools/tsconfig.json', './test/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-non-null-assertion': 'off', // index arithmetic under noUncheckedIndexedAccess: `!` states the invariant
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'max-lines': ['error', { max: 350, skipBlankLines: true, skipComments: true }],
    },
  },
  ...boundaries.map(([files, group]) => ({
    files: [files],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group, message: 'dependencies point one way: DESIGN, layout' },
            ...(files.startsWith('src/engine') ? [] : [tfjs]),
          ],
        },
      ],
    },
  })),
  {
    files: ['src/{index,finetune,pycocotools}.ts', 'src/cli/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [tfjs] }] },
  },
  { files: ['src/**'], ignores: ['src/cli/**', 'src/engine/backend.ts'], rules: { 'no-console': 'error' } },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
);
