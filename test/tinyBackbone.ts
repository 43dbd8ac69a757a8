const row = '{ operator: bottleneck, channels: 8, stride: 2 }';
const first = '{ operator: bottleneck, expansion: 1, channels: 8, stride: 2 }';
const twice = '{ operator: bottleneck, channels: 8, stride: 2, repeats: 2 }';

/** Four small stages, for tests of everything but the model: `model.backbone` of a recipe. */
export const tinyBackbone = `{ name: tiny, stem: 8, rows: [${first}, ${row}, ${row}, ${row}] }`;

/** The same with a residual block in each of the last two stages, which stochastic depth needs. */
export const residualBackbone = `{ name: tiny, stem: 8, rows: [${first}, ${row}, ${twice}, ${twice}] }`;
