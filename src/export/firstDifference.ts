import type { Results } from '../engine/engine.js';
import { isOp } from '../graph/builder.js';
import { nodesOf, parametersOf, type Program } from '../graph/program.js';
import { layerOf } from '../graph/reading.js';
import type { Value } from '../graph/spec.js';
import type { Net } from './format.js';
import { compare, shareOf } from './parity.js';

const leaves = ['param', 'constant', 'input'] as const;

/** Runs a part of the net, whose output is called `value`. */
export type RunPart = (net: Net) => Promise<Results>;

/** The first layer before an output of the net after which the two runs differ by more than the tolerance, as a share of
 *  the largest value; undefined if the output itself does not differ. Each step halves the layers in question, and runs the
 *  net up to one of them, with nothing else returned: what is written differs where values between layers are. */
export async function firstDifference(
  { program, params }: Net,
  output: string,
  runs: { readonly checkpoint: RunPart; readonly exported: RunPart },
  tolerance: number,
): Promise<string | undefined> {
  const last = program.outputs[output]!;
  const computed = nodesOf({ outputs: { last } }).filter((node) => !leaves.some((op) => isOp(node, op)));
  const values = computed.map((node): Value => (node === last.node ? last : node.outputs[0]!));
  const differs = async (at: number): Promise<boolean> => {
    const part = partFor(values[at]!, { program, params });
    const expected = await runs.checkpoint(part);
    const { difference, most } = compare((await runs.exported(part)).value!, expected.value!);
    return shareOf(difference, most) > tolerance;
  };
  let [same, other] = [-1, values.length - 1]; // the layers before the first agree, and the output is the last one
  if (!(await differs(other))) return undefined;
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    if (await differs(middle)) other = middle;
    else same = middle;
  }
  return layerOf(values[other]!.node);
}

function partFor(value: Value, { params }: Net): Net {
  const program: Program = { outputs: { value } };
  const wanted = parametersOf({ program });
  return { program, params: new Map([...params].filter(([name]) => wanted.has(name))) };
}
