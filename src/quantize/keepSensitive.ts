/** Which layers return to float32, so that quantisation costs no more than is accepted. */

export interface Search<Model, Results> {
  /** Every layer that can be quantised. */
  readonly layers: readonly string[];
  /** The model with all layers quantised but these. */
  readonly write: (keep: ReadonlySet<string>) => Model;
  /** Runs the model on the first `count` feeds; on all that are measured if that is left out. */
  readonly run: (model: Model, count?: number) => Promise<readonly Results[]>;
  /** What the float32 model returns for the feeds. */
  readonly expected: readonly Results[];
  readonly lossOf: (ours: readonly Results[], expected: readonly Results[]) => number;
  /** What tells sensitive layers from others on few feeds; default: the loss. */
  readonly sensitivityOf?: ((ours: readonly Results[], expected: readonly Results[]) => number) | undefined;
  /** The loss that is accepted. */
  readonly tolerance: number;
  /** Most layers that return to float32, as a share of all. */
  readonly mostKept: number;
}

export interface Kept<Model> {
  readonly model: Model;
  readonly loss: number;
  /** The layers that stayed in float32, most sensitive first, each with the loss when it alone is quantised. */
  readonly kept: readonly { readonly layer: string; readonly loss: number }[];
}

/** Quantises all layers, and where that costs too much, ever fewer: the most sensitive ones return first. */
export async function keepSensitive<Model, Results>(search: Search<Model, Results>): Promise<Kept<Model>> {
  const { layers, write, run, expected, lossOf, tolerance, mostKept } = search;
  const attempt = async (kept: Kept<Model>['kept']): Promise<Kept<Model>> => {
    const model = write(new Set(kept.map(({ layer }) => layer)));
    return { model, loss: lossOf(await run(model), expected), kept };
  };
  let best = await attempt([]);
  if (best.loss <= tolerance) return best;
  const single = await lossesAlone(search);
  for (const count of growing(Math.floor(layers.length * mostKept))) {
    const next = await attempt(single.slice(0, count));
    if (next.loss < best.loss) best = next;
    if (best.loss <= tolerance) break;
  }
  return best;
}

/** 1, 2, 3, 4, 6, 9 and so on, half as many again each time, up to `most`. */
function growing(most: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count <= most; count += Math.max(1, Math.floor(count / 2))) counts.push(count);
  return counts;
}

/** Feeds on which layers are compared with each other. */
const FEW = 2;

/** The loss when one layer alone is quantised, largest first. */
async function lossesAlone<Model, Results>({
  layers,
  write,
  run,
  expected,
  lossOf,
  sensitivityOf = lossOf,
}: Search<Model, Results>): Promise<Kept<Model>['kept']> {
  const losses: { layer: string; loss: number }[] = [];
  for (const layer of layers) {
    const alone = write(new Set(layers.filter((name) => name !== layer)));
    losses.push({ layer, loss: sensitivityOf(await run(alone, FEW), expected.slice(0, FEW)) });
  }
  return losses.sort((a, b) => b.loss - a.loss);
}
