import { dirname } from 'node:path';
import { decodeWeights, type RawWeights } from './decode/raw.js';
import { withBytesOf } from '../files/openBytes.js';
import { shardReader } from './sources/shards.js';

/** Reads a weights file; a model.json of TensorFlow.js with the shards beside it.
 *  Throws E_WEIGHTS_{FORMAT,READ}, and what the decoder of the format throws. */
export const readRaw = (file: string): Promise<RawWeights> =>
  withBytesOf(file, (source) => decodeWeights(source, shardReader(dirname(file))));
