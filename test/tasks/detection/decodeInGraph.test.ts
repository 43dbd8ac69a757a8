import { expect, test } from '@jest/globals';
import { readModelOptions } from '../../../src/api/modelOptions.js';
import * as b from '../../../src/graph/builder.js';
import { inputsOf } from '../../../src/graph/program.js';
import { sizeOf } from '../../../src/graph/shapes.js';
import { randomStream } from '../../../src/random.js';
import { detectionTask } from '../../../src/tasks/detection/detection.js';
import { detectors } from '../../../src/tasks/detection/detectors.js';
import { openInferenceEngines } from '../../engines.js';
import { tinyTable } from '../../tinyBackbone.js';

const engines = await openInferenceEngines();
const heads = [
  ...detectors.map(({ name }) => ({ head: name, more: {} })).filter(({ head }) => head !== 'ssd'),
  { head: 'ssdlite', more: { classLoss: 'softmax' } },
];

const MOST = 200;

/** Outputs as a network may give them, around 0, with boxes and proposals inside the input. */
function draw(name: string, length: number, random: ReturnType<typeof randomStream>): Float32Array {
  if (name === 'valid') return Float32Array.from({ length }, (_, i) => Number(i < length / 2));
  if (name === 'proposals')
    return Float32Array.from({ length }, (_, i) => (i % 4 < 2 ? 0 : 60) + random.uniform(0, 50));
  return Float32Array.from({ length }, () => random.uniform(-1, 1));
}

test.each(heads)(
  '$head has the same boxes and scores in the graph as outside of it ($more)',
  async ({ head, more }) => {
    const size = [128, 160] as const;
    const read = readModelOptions({ head, backbone: tinyTable, classes: 2, size, ...more });
    if (read.task !== 'detection') throw new Error('a head belongs to a detector');
    const unsuppressed = { scoreThreshold: 1e-6, nmsThreshold: 1, candidates: 1e6, maxDetections: MOST };
    const task = detectionTask({ ...read.options, ...unsuppressed });
    const { outputs } = task.build({ batch: 1, size, trainBatchNorm: () => false });
    const graph = b.createGraph();
    const inputs = Object.fromEntries(
      Object.entries(outputs).map(([name, { shape }]) => [name, b.input(graph, name, shape)]),
    );
    const { boxes, scores } = task.decodeInGraph!(inputs);
    const random = randomStream(1, head);
    const feeds = Object.fromEntries(
      Object.entries(outputs).map(([name, { shape }]) => [name, draw(name, sizeOf(shape), random)]),
    );
    const placement = { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 };
    const [expected] = task.decode(feeds, [{ imageId: 0, placement, originalWidth: size[1], originalHeight: size[0] }]);
    expect(expected!.length).toBeGreaterThan(4);
    const program = { outputs: { boxes, scores } };
    const used = Object.fromEntries(inputsOf(program).map(({ name }) => [name, feeds[name]!]));
    for (const engine of engines) {
      const session = await engine.compile({ decode: program });
      const found = await session.run('decode', used);
      session.dispose();
      const [, rows, classes] = scores.shape as [number, number, number];
      const all: number[][] = [];
      for (let row = 0; row < rows; row++)
        for (let k = 0; k < classes; k++) {
          const at = ((boxes.shape[0] === 1 ? 0 : k) * rows + row) * 4;
          all.push([k, found.scores![row * classes + k]!, ...found.boxes!.subarray(at, at + 4)]);
        }
      const best = all.sort((one, other) => other[1]! - one[1]!).slice(0, expected!.length + 1);
      for (const { classIndex, score, box } of expected!) {
        const wanted = [classIndex, score, ...box];
        const same = best.find((one) =>
          one.every(
            (value, i) => Math.abs(value - wanted[i]!) < 1e-2 && (i > 1 || Math.abs(value - wanted[i]!) < 1e-5),
          ),
        );
        expect([engine.name, same]).not.toEqual([engine.name, undefined]);
      }
      const left = best[expected!.length]?.[1] ?? 0;
      expect(expected!.length < MOST ? left : 0).toBeLessThan(1e-5);
    }
  },
);
