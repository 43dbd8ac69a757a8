import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { FinetuneError } from '../../errors.js';
import { readOwnJson } from '../../files/readOwnJson.js';
import { writeAtomically } from '../../files/writeAtomically.js';
import type { Param, Params } from '../../graph/params.js';
import type { ParamAttrs } from '../../graph/spec.js';
import { toTorch } from '../../weights/layout.js';
import { readSafetensors, verifySafetensors } from '../../weights/safetensorsFile.js';
import { checkpointFile, type CheckpointName } from './checkpoint.js';
import type { FreezeReceipt } from '../log/record.js';

const receiptSchema = z.object({
  /** For people. */
  note: z.string(),
  /** The tensors that are frozen from the first step to the last, with the SHA-256 of their bytes before the first. */
  tensors: z.record(z.string(), z.object({ shape: z.array(z.number()), sha256: z.string() })),
});
type Receipt = z.infer<typeof receiptSchema>;

const NOTE =
  'sha256 of the bytes of every frozen tensor, float32, little-endian, laid out as in checkpoints/*.safetensors; finetune verify-freeze <run> recomputes them';

const receiptFile = (directory: string): string => join(directory, 'freeze.json');

export const hashBytes = ({ data }: Pick<Param, 'data'>): string =>
  createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');

/** Combines named hashes, in their order, into one. */
const hashAll = (hashes: readonly (readonly [string, string])[]): string =>
  createHash('sha256').update(JSON.stringify(hashes)).digest('hex');

/** Writes freeze.json before the first step: which tensors are frozen, and hashes of their bytes. */
export async function promiseFreeze(
  directory: string,
  names: readonly string[],
  params: Params,
  parameters: ReadonlyMap<string, ParamAttrs>,
): Promise<void> {
  const tensors = names.map((name) => {
    const param = toTorch(parameters.get(name)!.kind, params.get(name)!);
    const entry: Receipt['tensors'][string] = { shape: [...param.shape], sha256: hashBytes(param) };
    return [name, entry] as const;
  });
  const receipt: Receipt = { note: NOTE, tensors: Object.fromEntries(tensors) };
  await writeAtomically(receiptFile(directory), `${JSON.stringify(receipt, null, 1)}\n`);
}

export interface VerifiedCheckpoint {
  readonly name: CheckpointName;
  /** Frozen tensors whose bytes differ from those before the first step. */
  readonly changed: readonly string[];
}

/** Recomputes the hashes of the frozen tensors from every checkpoint that exists. Throws E_FREEZE_NO_RECEIPT,
 *  E_FILE_DAMAGED, and E_SAFETENSORS_… for a damaged checkpoint. */
export async function verifyFreeze(
  directory: string,
  names: readonly CheckpointName[] = ['best', 'previous', 'last'],
): Promise<{ readonly tensors: Receipt['tensors']; readonly checkpoints: readonly VerifiedCheckpoint[] }> {
  const file = receiptFile(directory);
  const fix = 'restore it from a copy: without it nothing shows that the frozen tensors are unchanged';
  const receipt = await readOwnJson(file, { parse: (content) => receiptSchema.parse(content), fix });
  if (!receipt) {
    throw new FinetuneError({
      code: 'E_FREEZE_NO_RECEIPT',
      message: 'there is no freeze receipt: nothing was frozen in this run, or this is not a run directory',
      where: { file },
      fix: 'name a run whose recipe has train.freeze',
    });
  }
  const { tensors } = receipt;
  const checkpoints: VerifiedCheckpoint[] = [];
  for (const name of names) {
    const checkpoint = checkpointFile(directory, name);
    try {
      await verifySafetensors(checkpoint);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw error;
    }
    const { tensors: saved } = await readSafetensors(checkpoint, (tensor) => tensor in tensors);
    const isSame = ([tensor, { sha256 }]: readonly [string, { sha256: string }]): boolean => {
      const found = saved.get(tensor);
      return found?.data instanceof Float32Array && hashBytes({ data: found.data }) === sha256;
    };
    checkpoints.push({
      name,
      changed: Object.entries(tensors)
        .filter((entry) => !isSame(entry))
        .map(([tensor]) => tensor),
    });
  }
  return { tensors, checkpoints };
}

/** Compares the last checkpoint with freeze.json, and the engine's constants (`held`) with those derived from that
 *  checkpoint: frozen BatchNorms are folded into constants, which a checkpoint does not contain. Throws E_FREEZE_BROKEN
 *  with the names that differ. */
export async function freezeReceipt(directory: string, derived: Params, held: Params): Promise<FreezeReceipt> {
  const { tensors, checkpoints } = await verifyFreeze(directory, ['last']);
  const changed = checkpoints.flatMap((checkpoint) => checkpoint.changed);
  const inEngine = [...derived].filter(([name, param]) => {
    const found = held.get(name);
    return !found || hashBytes(found) !== hashBytes(param);
  });
  const broken = [...changed, ...inEngine.map(([name]) => name)];
  if (broken.length > 0) {
    const message = `internal: frozen parameters changed: ${broken.slice(0, 5).join(', ')}`;
    throw new FinetuneError({ code: 'E_FREEZE_BROKEN', message });
  }
  const names = Object.keys(tensors);
  const total = hashAll(names.map((name) => [name, tensors[name]!.sha256]));
  return {
    tensors: names.length,
    values: Object.values(tensors).reduce((sum, { shape }) => sum + shape.reduce((size, side) => size * side, 1), 0),
    before: total,
    after: total, // every tensor is the same, or an error was thrown above
    engine: { constants: held.size, sha256: hashAll([...held].map(([name, param]) => [name, hashBytes(param)])) },
    names,
  };
}
