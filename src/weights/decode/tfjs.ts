import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { FinetuneError } from '../../errors.js';
import { kerasName } from './keras.js';
import type { RawTensor } from './rawTensor.js';
import { manifestSchema, readManifest } from './tfjsManifest.js';

/** What stands behind a model.json of TensorFlow.js. */
export interface TfjsModel {
  readonly format: 'graph-model' | 'layers-model';
  /** TensorFlow's own nodes; none in a Layers model. */
  readonly nodes: readonly GraphModelNode[];
  /** A Layers model calls them "layer/variable", as keras.ts does. */
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

/** Reads model.json and its shards from disk. Throws E_TFJS_{FORMAT,SHARD}, with the file. */
export async function readTfjs(file: string): Promise<TfjsModel> {
  const json = await readJson(file);
  if ((json as { format?: unknown } | null)?.format === 'layers-model') {
    const { weightsManifest } = parse(layersSchema, json, 'Layers model', file);
    const tensors = await readManifest(weightsManifest, file);
    const named = [...tensors].map(([name, tensor]) => [kerasName([name]), tensor] as const);
    return { format: 'layers-model', nodes: [], tensors: unique(named, file) };
  }
  const { modelTopology, weightsManifest } = parse(graphSchema, json, 'GraphModel', file);
  return { format: 'graph-model', nodes: modelTopology.node, tensors: await readManifest(weightsManifest, file) };
}

const fail = (file: string, message: string, cause?: unknown) =>
  new FinetuneError({ code: 'E_TFJS_FORMAT', message, where: { file } }, { cause });

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw fail(file, `no model.json: ${(error as Error).message}`, error);
  }
}

function parse<T>(schema: z.ZodType<T>, json: unknown, kind: string, file: string): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw fail(file, `no ${kind}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, parsed.error);
}

function unique(named: readonly (readonly [string, RawTensor])[], file: string): Map<string, RawTensor> {
  const tensors = new Map(named);
  if (tensors.size < named.length) throw fail(file, 'two layers of the model have the same name');
  return tensors;
}
