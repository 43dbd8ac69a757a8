import * as b from '../../../graph/builder.js';
import type { Value } from '../../../graph/spec.js';
import type { Net } from '../../format.js';
import type { Checkpoint } from '../../source.js';
import { scoreClasses } from '../evaluators.js';
import { finishedTflite } from '../postProcess/format.js';
import type { Adapted } from '../target.js';
import type { Complete } from './detector.js';
import { LABELS } from './labels.js';

const OUTPUT = 'probabilities';

/** For ImageClassifier: the probabilities of the classes. */
export function adaptClassifier(_: Checkpoint, net: Net, complete: Complete): Adapted {
  const write = complete({
    outputs: [
      {
        name: 'probability',
        description: 'The probabilities of the classes.',
        content: 'features',
        range: [0, 1],
        labels: { file: LABELS, of: 'axis' },
      },
    ],
  });
  const [logits] = Object.values(net.program.outputs) as [Value];
  return {
    net: { ...net, program: { outputs: { [OUTPUT]: softmax(logits) } } },
    format: finishedTflite({ of: [OUTPUT], finish: write, input: 'float32' }),
    feed: (pixels) => ({ image: pixels }),
    evaluator: scoreClasses((results) => results[OUTPUT]!),
    card: { outputs: { [OUTPUT]: '[1, K]: the probability of each class' } },
  };
}

/** logits [1,K] → probabilities */
function softmax(logits: Value): Value {
  const powers = b.exp(b.sub(logits, b.max(logits, [1], true)));
  return b.div(powers, b.sum(powers, [1], true));
}
