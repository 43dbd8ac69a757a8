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

/** Holds that nothing frozen is trained: it is among no optimizer's parameters, has no slot, and no update of a step assigns it. */
export function checkFrozen({ train, gather, trained }: TrainPrograms, { frozen }: FreezePlan): void {
  const updates = [...(train.updates ?? []), ...(gather?.updates ?? [])];
  const assigned = updates.flatMap(({ node }) => (isOp(node, 'assign') ? [slotOwner(node.attrs.name)] : []));
  const moved = [...trained, ...assigned].find(frozen);
  invariant(moved === undefined, `${moved} is frozen, and a step would change it`);
}

/** Names categories that nothing can be learnt about; undefined where there are none. */
export function categoriesWithout(data: Pick<Dataset, 'categories' | 'annotations'>): string | undefined {
  const counts = countObjects(data);
  const names = data.categories.filter((_, i) => counts[i] === 0).map(({ name }) => name);
  if (names.length === 0) return undefined;
  const listed = names.slice(0, 10).join(', ') + (names.length > 10 ? ` and ${names.length - 10} more` : '');
  return `without an example in the training part: ${listed}; the model will not learn them (data.categories chooses)`;
}

/** So many times more or less than theory says. Initial weights make up for less, and so do hard negatives, which are those that lose most: SSD-lite's first
 *  step on eight synthetic images was 1.65 times the theory, RetinaNet's 1.03. */
const FACTOR = 3;

/** What is wrong with the loss of the first step where theory says what it should be: a class predictor that begins anew knows nothing. Undefined where it is about
 *  right, nothing matched, or the predictor came with weights. */
export function unlikelyStart({ task, parameters, params }: Model, results: Results, seed: number): string | undefined {
  const start = task.start;
  if (!start) return undefined;
  const predictor = [...parameters.values()].filter(
    ({ name, role }) => role === 'weight' && matches(start.predictor, name),
  );
  const anew = predictor.every((parameter) =>
    initialValues(parameter, seed).data.every((value, i) => value === params.get(parameter.name)!.data[i]),
  );
  const value = results[start.part]?.[0];
  if (!anew || predictor.length === 0 || !value || (value < FACTOR * start.loss && value > start.loss / FACTOR))
    return undefined;
  return `the ${start.part === 'loss' ? 'loss' : `${start.part} loss`} of the first step is ${value.toPrecision(3)}, and a class predictor that begins anew has about ${start.loss.toPrecision(3)} (${start.why}): look at the images and targets (finetune check), and at what model.weights brought`;
}
