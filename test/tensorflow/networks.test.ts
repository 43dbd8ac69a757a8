import { afterAll, expect, test } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import type { Session } from '../../src/engine/engine.js';
import { savedmodel } from '../../src/export/formats/savedmodel/savedmodel.js';
import { tfjs } from '../../src/export/formats/tfjs/tfjs.js';
import { detectors } from '../../src/tasks/detection/detectors.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import {
  buildProgram,
  expectSame,
  feedsOf,
  smallClassifier,
  smallDetector,
  textDetector,
  type SmallNetwork,
} from '../models/smallNetworks.js';

/** The outputs of every network, folded as for inference, from files: the same in TensorFlow's loader of SavedModels and in
 *  TensorFlow.js as on the engine that trains. */

const folder = temporaryFolder();
const reference = await openBackend();
const sessions: Pick<Session, 'dispose'>[] = [];
afterAll(() => {
  for (const session of sessions) session.dispose();
});

async function check(name: string, network: SmallNetwork): Promise<void> {
  const net = buildProgram(network, { withLoss: false });
  const feeds = feedsOf(network, net.program);
  const theirs = await compile({ program: net.program }, reference);
  sessions.push(theirs);
  await theirs.write(net.params);
  const expected = await theirs.run('program', feeds);
  for (const format of [savedmodel, tfjs]) {
    const directory = join(folder, `${name}-${format.name}`);
    mkdirSync(directory);
    expect(format.whyNot(net)).toBeUndefined();
    await format.write(directory, net);
    const ours = await format.open(directory, net);
    sessions.push(ours);
    expectSame(network, await ours.run('program', feeds), expected);
  }
}

/** One detector that leaves suppression to its reader, and one that chooses boxes inside; the others take a minute. */
const slow = process.env.FINETUNE_SLOW === '1';
const heads = detectors.map(({ name }) => name).filter((head) => slow || head === 'ssdlite' || head === 'nmsFree');

test.each(heads)('%s finds the same boxes', (head) => check(head, smallDetector(head)));

test('a classifier', () => check('classifier', smallClassifier()));

test.each(slow ? (['craft', 'craft-lite'] as const) : (['craft-lite'] as const))('text by %s', (head) =>
  check(head, textDetector(head)),
);
