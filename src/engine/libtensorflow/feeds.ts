import type { Feed } from '../engine.js';

/** The values as float32. */
export const toFloat = (values: Feed): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values);
