/** Four small stages, for tests of everything but the model: `model.backbone` of a recipe. */
export const tinyBackbone =
  '{ name: tiny, stem: 8, rows: [{ operator: bottleneck, expansion: 1, channels: 8, stride: 2 }, { operator: bottleneck, channels: 8, stride: 2 }, { operator: bottleneck, channels: 8, stride: 2 }, { operator: bottleneck, channels: 8, stride: 2 }] }'; // prettier-ignore
