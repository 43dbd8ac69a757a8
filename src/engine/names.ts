/** Engines, best first. ONNX Runtime computes what needs no gradient, and is chosen by itself where it is faster. */
export const ENGINES = ['tensorflow-gpu', 'tensorflow', 'onnxruntime', 'wasm'] as const;
export type EngineName = (typeof ENGINES)[number];
