import { expect, test } from '@jest/globals';
import { readModelOptions } from '../../src/api/modelOptions.js';
import { describedTask } from '../../src/evaluate/createTask.js';
import { sizeOf } from '../../src/graph/shapes.js';
import { randomStream } from '../../src/random.js';
import { checkCard, type CardDecoding } from '../../src/runtime/card.js';
import { detectorDecoder } from '../../src/runtime/decoders.js';
import { describeModel, type DetectorDescription } from '../../src/tasks/description/description.js';
import { detectionTask } from '../../src/tasks/detection/detection.js';
import { detectors } from '../../src/tasks/detection/detectors.js';
import type { Detection } from '../../src/tasks/detection/detector.js';
import { toOriginal } from '../../src/tasks/detection/toOriginal.js';
import type { Category } from '../../src/data/sample.js';
import { tinyTable } from '../tinyBackbone.js';

const categories = ['fish', 'house'].map((name, id) => ({ id, name })) as unknown as Category[];
const heads = [
  ...detectors.map(({ name }) => ({ head: name, more: {} })).filter(({ head }) => head !== 'ssd'), // it decodes as ssdlite does
  { head: 'ssdlite', more: { classLoss: 'softmax', nms: 'softLinear' } },
];

test.each(heads)('$head decodes by its card as in Node ($more)', ({ head, more }) => {
  const size = [128, 160] as const;
  const read = readModelOptions({ head, backbone: tinyTable, classes: 2, size, ...more });
  if (read.task !== 'detection') throw new Error('a head belongs to a detector');
  const network = detectionTask(read.options);
  const { outputs } = network.build({ batch: 1, size, trainBatchNorm: () => false });
  const { description, decode } = JSON.parse(
    JSON.stringify({
      description: describeModel(network.description, categories),
      decode: { ...network.decoding, thresholds: { score: null } },
    }),
  ) as { description: DetectorDescription; decode: CardDecoding };
  const random = randomStream(1, head);
  const draw = (name: string, i: number) =>
    name === 'valid' ? 1 : name === 'proposals' ? (i % 4 < 2 ? 0 : 60) + random.uniform(0, 50) : random.normal();
  const results = Object.fromEntries(
    Object.entries(outputs).map(([name, { shape }]) => [
      name,
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => draw(name, i)),
    ]),
  );
  const placement = { scaleX: 0.5, scaleY: 0.25, offsetX: 3, offsetY: 0 };
  const origin = { imageId: 0, placement, originalWidth: 320, originalHeight: 512 };
  const threshold = 0.3;
  const { task } = describedTask({
    ...description,
    selection: { ...description.selection, scoreThreshold: threshold },
  });
  const [expected] = task.decode(results, [origin]) as (readonly Detection[])[];
  expect(expected!.length).toBeGreaterThan(2);
  expect(toOriginal(detectorDecoder(decode, description, threshold)(results), origin)).toEqual(expected);
});

test('a card is refused if it is none, of another version, for an application, or if its head lacks an entry', () => {
  const whole = { version: 1, for: null, input: {}, decode: {}, description: {}, categories: [], outputs: [] };
  expect(checkCard(whole)).toBe(whole);
  for (const [card, message] of [
    [null, /the card is null/],
    ['{}', /instead of an object/],
    [{ ...whole, version: 2 }, /version 2.*\n.*update/],
    [{ ...whole, version: undefined }, /version nothing/],
    [{ ...whole, for: 'frigate' }, /written for "frigate"/],
    [{ ...whole, decode: undefined, outputs: 3 }, /no decode and no outputs/],
  ] as const)
    expect(() => checkCard(card)).toThrow(
      expect.objectContaining({ code: 'E_MODEL_FOLDER', message: expect.stringMatching(message) }),
    );
  const description = {
    head: { head: 'ssdlite' },
    size: [1, 1],
    selection: {},
    categories,
  } as unknown as DetectorDescription;
  expect(() => detectorDecoder({ thresholds: { score: null } }, description, 0.5)).toThrow(/no decode\.anchors/);
});
