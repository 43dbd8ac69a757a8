/** Engines, best first. */
export const ENGINES = ['tensorflow-gpu', 'tensorflow', 'wasm'] as const;
export type EngineName = (typeof ENGINES)[number];
