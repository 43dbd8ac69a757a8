const row = '{ operator: bottleneck, channels: 8, stride: 2 }';
const first = '{ operator: bottleneck, expansion: 1, channels: 8, stride: 2 }';
const twice = '{ operator: bottleneck, channels: 8, stride: 2, repeats: 2 }';

/** Four small stages, for tests of everything but the model: `model.backbone` of a recipe. */
export const tinyBackbone = `{ name: tiny, stem: 8, rows: [${first}, ${row}, ${row}, ${row}] }`;

/** The same with a residual block in each of the last two stages, which stochastic depth needs. */
export const residualBackbone = `{ name: tiny, stem: 8, rows: [${first}, ${row}, ${twice}, ${twice}] }`;

/** `tinyBackbone` as a table, for tests that build models without a recipe. */
export const tinyTable = {
  name: 'tiny',
  stem: 8,
  rows: [1, 6, 6, 6].map(
    (expansion) => ({ operator: 'bottleneck', expansion, channels: 8, repeats: 1, stride: 2 }) as const,
  ),
  head: 0,
  activation: 'relu6',
  seOf: 'input',
  seGate: 'sigmoid',
  style: 'pytorch',
} as const;
