import { countObjects } from '../data/countObjects.js';
import type { Dataset } from '../data/sample.js';
import type { Results } from '../engine/engine.js';
import { invariant } from '../errors.js';
import { isOp } from '../graph/builder.js';
import { initialValues } from '../graph/init.js';
import { slotOwner } from '../graph/slots.js';
import type { Model } from '../tasks/model.js';
import { matches } from '../weights/patterns.js';
import type { FreezePlan } from './freeze.js';
import type { TrainPrograms } from './programs.js';

/** Asserts that nothing frozen is trained: the optimizer does not list it, and no update of a step assigns it or a slot
 *  of it. */
export function checkFrozen({ train, gather, trained }: TrainPrograms, { frozen }: FreezePlan): void {
  const updates = [...(train.updates ?? []), ...(gather?.updates ?? [])];
  const assigned = updates.flatMap(({ node }) => (isOp(node, 'assign') ? [slotOwner(node.attrs.name)] : []));
  const moved = [...trained, ...assigned].find(frozen);
  invariant(moved === undefined, `${moved} is frozen, and a step would change it`);
}

/** Warning shown when categories have no example to learn from. */
export function categoriesWithout(data: Pick<Dataset, 'categories' | 'annotations'>): string | undefined {
  const counts = countObjects(data);
  const names = data.categories.filter((_, i) => counts[i] === 0).map(({ name }) => name);
  if (names.length === 0) return undefined;
  const listed = names.slice(0, 10).join(', ') + (names.length > 10 ? ` and ${names.length - 10} more` : '');
  return `categories without an example in the training part: ${listed}; the model will not learn them (data.categories selects categories)`;
}

/** A loss off by more than this factor triggers a warning. Initial weights and hard negatives, which are those with the
 *  largest loss, explain smaller deviations: SSD-lite's first step on eight synthetic images had 1.65 times the loss of
 *  the theory, RetinaNet's 1.03 times. */
const FACTOR = 3;

/** Warning shown when the loss of the first step is far from what theory predicts for a class predictor with initial
 *  weights. Undefined where it is close, where there is no theory, where no anchor matched an object, or where the
 *  predictor's weights were loaded. */
export function unlikelyStart({ task, parameters, params }: Model, results: Results, seed: number): string | undefined {
  const start = task.start;
  if (!start) return undefined;
  const predictor = [...parameters.values()].filter(
    ({ name, role }) => role === 'weight' && matches(start.predictor, name),
  );
  const isInitial = predictor.every((parameter) =>
    initialValues(parameter, seed).data.every((value, i) => value === params.get(parameter.name)!.data[i]),
  );
  const value = results[start.part]?.[0];
  if (!isInitial || predictor.length === 0 || !value || (value < FACTOR * start.loss && value > start.loss / FACTOR))
    return undefined;
  return `the ${start.part === 'loss' ? 'loss' : `${start.part} loss`} of the first step is ${value.toPrecision(3)}, but a class predictor with initial weights has about ${start.loss.toPrecision(3)} (${start.why}): look at the images and targets (finetune check), and at the weights that model.weights loads`;
}
