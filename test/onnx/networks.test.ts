import { afterAll, test } from '@jest/globals';
import { openBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import type { Session } from '../../src/engine/engine.js';
import { compileOnnx } from '../../src/engine/onnxRuntime/session.js';
import { detectors } from '../../src/tasks/detection/detectors.js';
import {
  buildProgram,
  expectSame,
  feedsOf,
  smallClassifier,
  smallDetector,
  textDetector,
  type SmallNetwork,
} from '../models/smallNetworks.js';

/** The outputs and the loss of every network, folded as for inference: the same on ONNX Runtime as on the engine that
 *  trains. test/models/equality.test.ts compares every backbone. */

const reference = await openBackend();
const sessions: Session[] = [];
afterAll(() => {
  for (const session of sessions) session.dispose();
});

async function check(network: SmallNetwork): Promise<void> {
  const { program, params } = buildProgram(network, { withLoss: true });
  const feeds = feedsOf(network, program);
  const onnx = await compileOnnx({ program }, params, { threads: 1 });
  const other = await compile({ program }, reference);
  sessions.push(onnx, other);
  await other.write(params);
  expectSame(network, await onnx.run('program', feeds), await other.run('program', feeds));
}

/** Networks on a VGG take seconds. */
const slow = process.env.FINETUNE_SLOW === '1';
const heads = detectors.map(({ name }) => name).filter((head) => slow || head !== 'ssd');

test.each(heads)('%s finds the same boxes', (head) => check(smallDetector(head)));

test('a classifier', () => check(smallClassifier()));

test.each(slow ? (['craft', 'craft-lite'] as const) : (['craft-lite'] as const))('text by %s', (head) =>
  check(textDetector(head)),
);
