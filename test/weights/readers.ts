import { dirname } from 'node:path';
import { decodeKeras } from '../../src/weights/decode/keras.js';
import { decodeTfjs } from '../../src/weights/decode/tfjs.js';
import { decodeTorch } from '../../src/weights/decode/torch.js';
import { withBytesOf } from '../../src/files/openBytes.js';
import { shardReader } from '../../src/weights/sources/shards.js';

/** Decoders applied to files. */
export const readTorch = (file: string) => withBytesOf(file, decodeTorch);
export const readKeras = (file: string) => withBytesOf(file, decodeKeras);
export const readTfjs = (file: string) => withBytesOf(file, (source) => decodeTfjs(source, shardReader(dirname(file))));
