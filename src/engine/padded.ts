import type { Params } from '../graph/params.js';
import { createPadding } from '../graph/pad/pad.js';
import { checkParams, type Session } from './engine.js';
import { parametersOf, type Program, type Programs } from '../graph/program.js';

/** oneDNN stores channels in blocks of 16 floats, the width of an AVX-512 register. Other numbers of channels take slower paths. */
const ONEDNN_BLOCK = 16;

/** Compiles programs with their channels padded to multiples of `block` (graph/pad/pad.ts). Callers do not notice: parameters are padded when they are
 *  written and stripped when they are read, and results have no padding. */
export async function compilePadded(
  programs: Programs,
  constants: Params,
  compile: (programs: Programs, constants: Params) => Promise<Session>,
  block = ONEDNN_BLOCK,
): Promise<Session> {
  const parameters = parametersOf(programs);
  const padding = createPadding(block);
  const rewritten = Object.entries(programs).map(([name, { outputs, updates = [] }]): [string, Program] => {
    const names = Object.keys(outputs);
    const roots = padding.rewrite([...Object.values(outputs), ...updates]);
    return [
      name,
      { outputs: Object.fromEntries(names.map((key, i) => [key, roots[i]!])), updates: roots.slice(names.length) },
    ];
  });
  checkParams(parameters, constants);
  const session = await compile(Object.fromEntries(rewritten), padding.pad(constants));
  return {
    ...session,
    read: async (names) => padding.strip(await session.read(names)),
    async write(params) {
      checkParams(parameters, params);
      await session.write(padding.pad(params));
    },
  };
}
