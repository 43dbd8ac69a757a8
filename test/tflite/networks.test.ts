import { afterAll, expect, test } from '@jest/globals';
import { openBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import type { Session } from '../../src/engine/engine.js';
import { openTfliteFile } from '../../src/engine/litert/file.js';
import { inputsOf } from '../../src/graph/program.js';
import { detectors } from '../../src/tasks/detection/detectors.js';
import { emitTflite, whyNotTflite } from '../../src/tflite/emit.js';
import { encodeTflite } from '../../src/tflite/encode.js';
import {
  buildProgram,
  expectSame,
  feedsOf,
  smallClassifier,
  smallDetector,
  textDetector,
  type SmallNetwork,
} from '../models/smallNetworks.js';

/** The outputs of every network, folded as for inference: the same in LiteRT as on the engine that trains. */

const reference = await openBackend();
const sessions: Pick<Session, 'dispose'>[] = [];
afterAll(() => {
  for (const session of sessions) session.dispose();
});

async function check(network: SmallNetwork): Promise<void> {
  const { program, params } = buildProgram(network, { withLoss: false });
  const feeds = feedsOf(network, program);
  const outputs = Object.entries(program.outputs).map(([name, { shape }]) => ({ name, shape }));
  const bytes = encodeTflite(emitTflite('program', program, params));
  const ours = await openTfliteFile(bytes, { inputs: inputsOf(program), outputs });
  const other = await compile({ program }, reference);
  sessions.push(ours, other);
  await other.write(params);
  expectSame(network, await ours.run('program', feeds), await other.run('program', feeds));
}

/** One detector that leaves suppression to its reader, and one that chooses boxes inside; the others take seconds each. */
const slow = process.env.FINETUNE_SLOW === '1';
const heads = detectors
  .map(({ name }) => name)
  .filter((head) => head !== 'fasterRcnn' && (slow || head === 'ssdlite' || head === 'nmsFree'));

test.each(heads)('%s finds the same boxes', (head) => check(smallDetector(head)));

test('a classifier', () => check(smallClassifier()));

test.each(slow ? (['craft', 'craft-lite'] as const) : (['craft-lite'] as const))('text by %s', (head) =>
  check(textDetector(head)),
);

test('Faster R-CNN is refused with the op, the layer and the formats that hold it', () => {
  const { program } = buildProgram(smallDetector('fasterRcnn'), { withLoss: false });
  expect(whyNotTflite({ evaluate: program })).toMatchObject({
    code: 'E_TFLITE_OP',
    message: expect.stringMatching(/"evaluate".*cropAndResize.*in the layer/),
    problems: [{ fix: expect.stringContaining('onnx') }],
  });
});
