import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openBackend, type CompiledBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import type { Results } from '../../src/engine/engine.js';
import { portsOf, type FilePorts, type FileSession } from '../../src/engine/file.js';
import { openSavedModel } from '../../src/engine/libtensorflow/savedModel.js';
import { openGraphModel } from '../../src/engine/tfjs/graphModel.js';
import * as b from '../../src/graph/builder.js';
import type { Program } from '../../src/graph/program.js';
import type { Value } from '../../src/graph/spec.js';
import { emitInference } from '../../src/tensorflow/inference.js';
import { encodeSavedModel } from '../../src/tensorflow/savedModel.js';
import { encodeGraphModel } from '../../src/tensorflow/tfjs/graphModel.js';
import { tfjsRules } from '../../src/tensorflow/tfjs/rules.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { exactOps } from '../graph/exactOps.js';
import { distance, feeds, labels, params, program } from './allOps.js';

/** Every op that has a meaning without training, as a SavedModel in TensorFlow's own loader and as a graph model in
 *  TensorFlow.js: the same as on the portable engine, which test/engine and test/graph check. All cases are one program. */

const folder = temporaryFolder();
const exact: Program = {
  outputs: Object.fromEntries(
    (() => {
      const all = b.createGraph();
      return exactOps
        .filter(([op]) => op !== 'softmaxCrossEntropy')
        .map(([, build], i): [string, Value] => [`exact${i}`, build(all)]);
    })(),
  ),
};

const inPlace = (name: string): string => {
  const directory = join(folder, name);
  mkdirSync(directory);
  return directory;
};
const open = {
  async savedModel(name: string, one: Program, given: FilePorts): Promise<FileSession> {
    const directory = inPlace(name);
    writeFileSync(join(directory, 'saved_model.pb'), encodeSavedModel(emitInference(one, params)));
    return openSavedModel(directory, given, (await openBackend({ engine: 'tensorflow' })) as CompiledBackend);
  },
  async graphModel(name: string, one: Program, given: FilePorts): Promise<FileSession> {
    const directory = inPlace(name);
    const { json, shards } = encodeGraphModel(emitInference(one, params, tfjsRules), () => 'float32');
    writeFileSync(join(directory, 'model.json'), JSON.stringify(json));
    for (const [file, bytes] of shards) writeFileSync(join(directory, file), bytes);
    return openGraphModel(directory, given);
  },
};

let expected: Results;
beforeAll(async () => {
  const portable = await compile({ program }, await openBackend({ engine: 'wasm' }));
  await portable.write(params);
  expected = await portable.run('program', feeds);
  portable.dispose();
});

describe.each(Object.keys(open) as (keyof typeof open)[])('a %s', (format) => {
  const sessions: FileSession[] = [];
  afterAll(() => {
    for (const session of sessions) session.dispose();
  });

  test('computes every op as the portable engine does', async () => {
    const session = await open[format](`${format}-all`, program, portsOf(program));
    sessions.push(session);
    const found = await session.run('evaluate', feeds);
    const wrong = Object.entries(expected).filter(
      ([name, values]) => found[name]!.length !== values.length || !(distance(found[name]!, values) < 1e-5),
    );
    expect(wrong.map(([name]) => labels.get(name) ?? name)).toEqual([]);
  });

  test('gives the expected results of ops that have no gradient', async () => {
    const given = { inputs: [], outputs: Object.entries(exact.outputs).map(([name, { shape }]) => ({ name, shape })) };
    const session = await open[format](`${format}-exact`, exact, given);
    sessions.push(session);
    const found = await session.run('evaluate', {});
    for (const [i, [op, , values]] of exactOps.entries())
      if (op !== 'softmaxCrossEntropy')
        expect([op, [...found[`exact${i}`]!]]).toEqual([op, values.map((value) => expect.closeTo(value, 6))]);
  });
});
