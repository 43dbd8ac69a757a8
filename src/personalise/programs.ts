import { compileEager } from '../engine/eager/eager.js';
import type { Session } from '../engine/engine.js';
import { initialValues } from '../graph/init.js';
import type { Params } from '../graph/params.js';
import { parametersOf } from '../graph/program.js';
import type { Classification } from '../tasks/classification/probabilities.js';
import type { Model } from '../tasks/model.js';
import { planFreeze } from '../train/freeze.js';
import { buildPrograms } from '../train/programs.js';

const OPTIMIZER = {
  name: 'adamw',
  momentum: 0,
  nesterov: false,
  betas: [0.9, 0.999],
  smoothing: 0,
  epsilon: 1e-8,
} as const;

/** Evaluation, the frozen stages and a step of training for one batch, with the values of a model. */
export interface Programs {
  readonly session: Session;
  readonly batch: number;
  /** The parameters that training changes. */
  readonly trained: readonly string[];
  /** Names and lengths of the features of one image. */
  readonly features: readonly (readonly [name: string, length: number])[];
}

/** Compiles evaluation, the frozen stages and a step of training, with the values of the model. */
export async function openPrograms(
  tf: { getBackend(): string },
  model: Model<Classification>,
  batch: number,
  stages: number,
): Promise<Programs> {
  const { train, evaluate, prefix, trained, derive } = buildPrograms(model, {
    batch,
    evaluateBatch: batch,
    plan: planFreeze(model.backbone, model.parameters, { stages, batchNorm: 'frozen' }),
    update: {
      optimizer: OPTIMIZER,
      groupOf: () => ({ lr: 1, weightDecay: 0 }),
      clipNorm: 10,
      clipValue: null,
      accumulate: 1,
    },
    ema: false,
    split: 'always',
  });
  const programs = { train, evaluate, prefix: prefix! };
  const session = await compileEager(programs, { name: tf.getBackend(), tf });
  const parameters = parametersOf(programs);
  const slots = [...parameters].filter(([, { role }]) => role === 'slot');
  const start: Params = new Map(slots.map(([name, attrs]) => [name, initialValues(attrs, 0)]));
  const values = [...model.params, ...derive(model.params), ...start].filter(([name]) => parameters.has(name));
  await session.write(new Map(values));
  const features = Object.entries(prefix!.outputs).map(
    ([name, { shape }]) => [name, shape.reduce((product, side) => product * side, 1) / batch] as const,
  );
  return { session, batch, trained, features };
}

/** Computes the features of the frozen stages, once for each view. */
export async function featuresOf(
  views: readonly Float32Array[],
  { session, batch, features }: Programs,
): Promise<Readonly<Record<string, Float32Array>>[]> {
  const found: Record<string, Float32Array>[] = [];
  for (let first = 0; first < views.length; first += batch) {
    const some = views.slice(first, first + batch);
    const image = new Float32Array(batch * views[0]!.length);
    for (const [i, view] of some.entries()) image.set(view, i * view.length);
    const results = await session.run('prefix', { image });
    for (const i of some.keys())
      found.push(
        Object.fromEntries(
          features.map(([name, length]) => [name, results[name]!.slice(i * length, (i + 1) * length)]),
        ),
      );
  }
  return found;
}

/** The values of the model after training. */
export const valuesOf = async ({ session, trained }: Programs, before: Params): Promise<Params> =>
  new Map([...before, ...(await session.read(trained))]);
