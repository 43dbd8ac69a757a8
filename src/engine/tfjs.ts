import type * as TfjsNode from '@tensorflow/tfjs-node';
import type { Backend } from './backend.js';

/** The module of tfjs that computes on an engine. Only tfjs-node's has `tf.node`. */
export const tfjsOf = (backend: Pick<Backend, 'tf'>): typeof TfjsNode => backend.tf as typeof TfjsNode;
