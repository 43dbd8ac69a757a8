import { expect, test } from '@jest/globals';
import { readModelOptions } from '../../src/api/modelOptions.js';
import { createDetection } from '../../src/evaluate/createTask.js';
import { detectors } from '../../src/tasks/detection/detectors.js';
import { tinyTable } from '../tinyBackbone.js';

const heads = detectors.map(({ name }) => name).filter((name) => name !== 'ssd'); // it decodes as ssdlite does, and its VGG is large

test.each(heads)('%s says the meaning and the shape of each of its outputs', (head) => {
  const size = [128, 160] as const;
  const read = readModelOptions({ head, backbone: tinyTable, classes: 3, size });
  if (read.task !== 'detection') throw new Error('a head belongs to a detector');
  const task = createDetection(read.options);
  const { decoding } = task;
  const { outputs } = task.build({ batch: 1, size, trainBatchNorm: () => false });
  expect(Object.keys(decoding.outputs).sort()).toEqual(Object.keys(outputs).sort());
  for (const [name, { shape }] of Object.entries(outputs)) {
    const said = /^\[(.*?)\]/.exec(decoding.outputs[name]!)![1]!.split(', ');
    expect([name, said.length]).toEqual([name, shape.length]);
    for (const [axis, length] of said.entries())
      if (/^\d+$/.test(length)) expect([name, Number(length)]).toEqual([name, shape[axis]]);
  }
});
