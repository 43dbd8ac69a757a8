import { z } from 'zod';
import type { ByteSource } from '../../bytes/byteSource.js';
import { FinetuneError } from '../../errors.js';
import { kerasName } from './keras.js';
import type { RawTensor } from './rawTensor.js';
import { manifestSchema, readManifest, type ReadShard } from './tfjsManifest.js';

/** A model.json of TensorFlow.js and its shards. */
export interface TfjsModel {
  readonly format: 'graph-model' | 'layers-model';
  /** The nodes of a GraphModel, as TensorFlow has them; none for a Layers model. */
  readonly nodes: readonly GraphModelNode[];
  /** Those of a Layers model are called "layer/variable", as in keras.ts. */
  readonly tensors: ReadonlyMap<string, RawTensor>;
}

const nodeSchema = z.object({
  name: z.string(),
  op: z.string(),
  input: z.array(z.string()).default([]),
  attr: z.record(z.string(), z.unknown()).default({}),
});
type GraphModelNode = z.infer<typeof nodeSchema>;

const graphSchema = z.object({
  modelTopology: z.object({ node: z.array(nodeSchema) }),
  weightsManifest: manifestSchema,
});
const layersSchema = z.object({ weightsManifest: manifestSchema });

/** Reads model.json, and its shards with `readShard`. Throws E_TFJS_{FORMAT,SHARD}, with the file. */
export async function decodeTfjs(source: ByteSource, readShard: ReadShard): Promise<TfjsModel> {
  const { file } = source;
  const json = await readJson(source);
  if ((json as { format?: unknown } | null)?.format === 'layers-model') {
    const { weightsManifest } = parse(layersSchema, json, 'Layers model', file);
    const tensors = await readManifest(weightsManifest, file, readShard);
    const named = [...tensors].map(([name, tensor]) => [kerasName([name]), tensor] as const);
    return { format: 'layers-model', nodes: [], tensors: unique(named, file) };
  }
  const { modelTopology, weightsManifest } = parse(graphSchema, json, 'GraphModel', file);
  const tensors = await readManifest(weightsManifest, file, readShard);
  return { format: 'graph-model', nodes: modelTopology.node, tensors };
}

const fail = (file: string, message: string, cause?: unknown) =>
  new FinetuneError({ code: 'E_TFJS_FORMAT', message, where: { file } }, { cause });

async function readJson(source: ByteSource): Promise<unknown> {
  const text = new TextDecoder().decode(await source.read(0, source.size));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw fail(source.file, `not a model.json: ${(error as Error).message}`, error);
  }
}

function parse<T>(schema: z.ZodType<T>, json: unknown, kind: string, file: string): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw fail(file, `not a ${kind}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, parsed.error);
}

function unique(named: readonly (readonly [string, RawTensor])[], file: string): Map<string, RawTensor> {
  const tensors = new Map(named);
  if (tensors.size < named.length) throw fail(file, 'two layers of the model have the same name');
  return tensors;
}
